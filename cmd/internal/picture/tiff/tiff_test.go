package tiff

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// overWhite draws a picture over white.
func overWhite(img image.Image) *image.RGBA {
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Over)
	return out
}

// half is a picture whose left half has an opacity of 128.
func half(img image.Image) image.Image {
	out := image.NewNRGBA(img.Bounds())
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			if x < out.Rect.Dx()/2 {
				c.A = 128
			}
			out.SetNRGBA(x, y, c)
		}
	}
	return out
}

// TestDecode reads one picture in many kinds of file (testdata/make.py).
func TestDecode(t *testing.T) {
	decodePNG := func(name string) image.Image {
		img, err := png.Decode(bytes.NewReader(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	photo, bw, palette := decodePNG("photo.png"), decodePNG("bw.png"), decodePNG("palette.png")
	for name, c := range map[string]struct {
		want  image.Image
		model color.Model // nil for a palette's
		most  int         // difference, of 255
	}{
		"lzw.tif":            {photo, color.RGBAModel, 0},
		"tiles.tif":          {photo, color.RGBAModel, 0},
		"apart.tif":          {photo, color.RGBAModel, 0},
		"apart-tiles.tif":    {photo, color.RGBAModel, 0},
		"fillorder.tif":      {photo, color.RGBAModel, 0},
		"jpeg-ycbcr.tif":     {photo, color.RGBAModel, 30},
		"jpeg-rgb.tif":       {photo, color.RGBAModel, 8},
		"jpeg-tiles.tif":     {photo, color.RGBAModel, 8},
		"jpeg-apart.tif":     {photo, color.RGBAModel, 8},
		"bw-fillorder.tif":   {bw, color.GrayModel, 0},
		"g3.tif":             {bw, color.GrayModel, 0},
		"g3-fill.tif":        {bw, color.GrayModel, 0},
		"g3-black.tif":       {image.NewGray(bw.Bounds()), color.GrayModel, 0},
		"ycbcr.tif":          {photo, color.RGBAModel, 3},
		"g4.tif":             {bw, color.GrayModel, 0},
		"g4-fillorder.tif":   {bw, color.GrayModel, 0},
		"white-is-zero.tif":  {bw, color.GrayModel, 0},
		"palette.tif":        {palette, nil, 0},
		"16.tif":             {photo, color.RGBA64Model, 0},
		"16-differences.tif": {photo, color.RGBA64Model, 0},
		"extra.tif":          {photo, color.RGBAModel, 0},
		"thumbnail.tif":      {photo, color.RGBAModel, 0}, // its first picture
		"straight.tif":       {half(photo), color.NRGBAModel, 0},
		"premultiplied.tif":  {half(photo), color.RGBAModel, 1},
		"cmyk.tif":           {photo, color.CMYKModel, 0},
		"cmyk-16.tif":        {photo, color.CMYKModel, 0},
		"cmyk-apart.tif":     {photo, color.CMYKModel, 0},
		"cmyk-jpeg.tif":      {photo, color.CMYKModel, 8},
	} {
		data := read(t, name)
		img, err := Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if img.Bounds() != c.want.Bounds() || c.model != nil && img.ColorModel() != c.model {
			t.Errorf("%s: a %T, bounds %v", name, img, img.Bounds())
			continue
		}
		got, want := overWhite(img), overWhite(c.want)
		most := 0
		for i, v := range got.Pix {
			most = max(most, int(v)-int(want.Pix[i]), int(want.Pix[i])-int(v))
		}
		if most > c.most {
			t.Errorf("%s: differs by %d of 255, want at most %d", name, most, c.most)
		}
		cfg, err := DecodeConfig(bytes.NewReader(data))
		if err != nil || cfg.Width != 24 || cfg.Height != 16 || c.model != nil && cfg.ColorModel != c.model {
			t.Errorf("%s: config %v, %v", name, cfg, err)
		}
		for n := 0; n < len(data); n += 7 {
			img, err := Decode(bytes.NewReader(data[:n]))
			if err == nil && img.Bounds() != c.want.Bounds() {
				t.Errorf("%s: the first %d bytes: bounds %v", name, n, img.Bounds())
			}
		}
	}
}

// entryOf returns what the directory of a little-endian file has about a tag.
func entryOf(t *testing.T, data []byte, tag uint16) []byte {
	t.Helper()
	at := binary.LittleEndian.Uint32(data[4:])
	n := int(binary.LittleEndian.Uint16(data[at:]))
	for i := range n {
		e := data[int(at)+2+12*i:]
		if binary.LittleEndian.Uint16(e) == tag {
			return e[:12]
		}
	}
	t.Fatalf("no tag %d", tag)
	return nil
}

// put sets the value of a short or long tag of a little-endian file.
func put(t *testing.T, data []byte, tag uint16, v uint32) []byte {
	t.Helper()
	data = bytes.Clone(data)
	binary.LittleEndian.PutUint32(entryOf(t, data, tag)[8:], v)
	return data
}

// swap puts a short tag in the place of another.
func swap(t *testing.T, data []byte, old, tag uint16, v uint32) []byte {
	t.Helper()
	data = bytes.Clone(data)
	e, le := entryOf(t, data, old), binary.LittleEndian
	copy(e, le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, tag), 3), 1), v))
	return data
}

// TestPredictor: samples that are not compressed, or with PackBits, are no
// differences.
func TestPredictor(t *testing.T) {
	for name, old := range map[string]uint16{"straight.tif": 282, "apart.tif": 274} {
		data := read(t, name)
		want, err := Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, predictor := range []uint32{predictLeft, 3} {
			got, err := Decode(bytes.NewReader(swap(t, data, old, tagPredictor, predictor)))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: another picture with predictor %d (%v)", name, predictor, err)
			}
		}
	}
}

// TestFax checks that a fax whose tag calls 0 black is the negative that libtiff
// makes of it.
func TestFax(t *testing.T) {
	data := read(t, "g4.tif")
	d, err := newDecoder(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	img, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Decode(bytes.NewReader(put(t, data, tagPhotometric, uint32(1-d.photometric))))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range img.(*image.Gray).Pix {
		if w := other.(*image.Gray).Pix[i]; v != 255-w {
			t.Fatalf("pixel %d is %d and %d", i, v, w)
		}
	}
}

// TestUnnamedAlpha: a fourth sample that nothing is said about is transparency.
func TestUnnamedAlpha(t *testing.T) {
	data := read(t, "straight.tif")
	want, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(bytes.NewReader(swap(t, data, tagExtraSamples, 65000, 0)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("another picture (%v)", err)
	}
}

// thousandths returns ycbcr.tif with a tag of rationals in the place of the one that
// it has.
func thousandths(t *testing.T, tag uint16, v ...uint32) []byte {
	t.Helper()
	data := read(t, "ycbcr.tif")
	e, le := entryOf(t, data, tagReferences), binary.LittleEndian
	le.PutUint16(e, tag)
	le.PutUint32(e[4:], uint32(len(v)))
	at := data[le.Uint32(e[8:]):]
	for i, n := range v {
		le.PutUint32(at[8*i:], n)
		le.PutUint32(at[8*i+4:], 1000)
	}
	return data
}

// TestCoefficients: YCbCr with the usual coefficients is as it is without them.
func TestCoefficients(t *testing.T) {
	want, err := Decode(bytes.NewReader(read(t, "ycbcr.tif")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(bytes.NewReader(thousandths(t, tagCoefficients, 299, 587, 114)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("another picture (%v)", err)
	}
}

func TestUnsupported(t *testing.T) {
	plain := read(t, "straight.tif")
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"float":     {read(t, "float.tif"), "floating-point samples"},
		"Zstandard": {read(t, "zstd.tif"), "Zstandard compression"},
		"2-D fax":   {read(t, "g3-2d.tif"), "two-dimensional Group 3 fax"},
		"Lab":       {put(t, plain, tagPhotometric, 8), "Lab colors"},
		"YCbCr":     {put(t, plain, tagPhotometric, ycbcr), "subsampled YCbCr that is not JPEG"},
		"BT.709":    {thousandths(t, tagCoefficients, 213, 715, 72), "YCbCr of other coefficients"},
		"narrow":    {thousandths(t, tagReferences, 16_000, 235_000, 128_000, 240_000, 128_000, 240_000), "YCbCr of other range"},
		"old JPEG":  {put(t, plain, tagCompression, 6), "old-style JPEG"},
		"JPEG 2000": {put(t, plain, tagCompression, 34712), "JPEG 2000"},
		"another":   {put(t, plain, tagCompression, 777), "compression 777"},
		"a sensor":  {put(t, plain, tagPhotometric, colorFilter), "a camera's raw file; export a JPEG"},
	} {
		_, err := Decode(bytes.NewReader(c.data))
		if _, ok := err.(UnsupportedError); !ok || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
	for name, data := range map[string][]byte{
		"no pixels":      put(t, plain, tagWidth, 0),
		"a strip of 0":   put(t, plain, tagRowsPerStrip, 0),
		"no photometric": put(t, plain, tagPhotometric, 1<<16-1),
	} {
		if _, err := Decode(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// tilesOf returns a TIFF of n gray tiles of 8 x 8 pixels that share a place.
func tilesOf(n int, compression uint32, data, tables []byte) []byte {
	const tags = 11
	le, at := binary.LittleEndian, uint32(8+2+12*tags+4)
	sizes := at + uint32(len(data)+len(tables))
	b := le.AppendUint16([]byte("II\x2a\x00\x08\x00\x00\x00"), tags)
	for _, tag := range [tags][3]uint32{
		{tagWidth, 1, uint32(8 * n)}, {tagHeight, 1, 8}, {tagBits, 1, 8}, {tagCompression, 1, compression}, {tagPhotometric, 1, 1}, {tagSamples, 1, 1},
		{tagTileWidth, 1, 8}, {tagTileLength, 1, 8}, {tagTileOffsets, uint32(n), sizes + uint32(4*n)}, {tagTileByteCounts, uint32(n), sizes},
		{tagJPEGTables, uint32(len(tables)), at + uint32(len(data))},
	} {
		b = le.AppendUint16(le.AppendUint16(b, uint16(tag[0])), 4)
		if tag[0] == tagJPEGTables {
			b[len(b)-2] = 7 // bytes
		}
		b = le.AppendUint32(le.AppendUint32(b, tag[1]), tag[2])
	}
	b = append(append(append(b, 0, 0, 0, 0), data...), tables...)
	for _, v := range []uint32{uint32(len(data)), at} {
		for range n {
			b = le.AppendUint32(b, v)
		}
	}
	return b
}

// TestOverlap: tiles that share a large place, or tables, do not take hours. Of
// few such tiles, each is read.
func TestOverlap(t *testing.T) {
	var gray bytes.Buffer
	if err := jpeg.Encode(&gray, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	tables := append([]byte("\xff\xd8\xff\xfe\xff\xfa"), make([]byte, 1<<16-8)...) // a comment
	tables = append(tables, 0xff, 0xd9)
	idle := append(bytes.Repeat([]byte{128}, 1<<20), 256-63, 77) // codes for nothing, then 64 samples
	for name, c := range map[string]struct {
		compression  uint32
		data, tables []byte
	}{"PackBits": {packBits, idle, nil}, "JPEG": {jpegData, gray.Bytes(), tables}} {
		if _, err := Decode(bytes.NewReader(tilesOf(20, c.compression, c.data, c.tables))); err != nil {
			t.Errorf("%s, 20 tiles: %v", name, err)
		}
		if _, err := Decode(bytes.NewReader(tilesOf(2000, c.compression, c.data, c.tables))); err != errOverlap {
			t.Errorf("%s, 2000 tiles: %v", name, err)
		}
	}
}

// TestManyTiles: small tiles leave no garbage of many times their size, and their
// number is bounded.
func TestManyTiles(t *testing.T) {
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	if _, err := w.Write(make([]byte, 64)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		compression uint32
		data        []byte
	}{"none": {none, make([]byte, 64)}, "Deflate": {deflate, deflated.Bytes()}} {
		const n, most = 2000, 1 << 10 // bytes for each tile
		data := tilesOf(n, c.compression, c.data, nil)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(bytes.NewReader(data))
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / n; err != nil || each > most {
			t.Errorf("%s: %d bytes a tile, %v", name, each, err)
		}
	}
	if _, err := DecodeConfig(bytes.NewReader(tilesOf(maxBlocks+1, none, nil, nil)[:200])); err != UnsupportedError("more than 1048576 strips or tiles") {
		t.Errorf("a tile too many: %v", err)
	}
	if _, err := DecodeConfig(bytes.NewReader(tilesOf(maxMade+1, lzwCodes, nil, nil)[:200])); err != UnsupportedError("more than 131072 strips or tiles") {
		t.Errorf("a tile of LZW too many: %v", err)
	}
}

// TestScans: the JPEGs of a picture share what their scans may have.
func TestScans(t *testing.T) {
	var gray bytes.Buffer
	if err := jpeg.Encode(&gray, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	d, err := newDecoder(bytes.NewReader(tilesOf(4, jpegData, gray.Bytes(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	*d.budget = 3
	if _, err := d.decode(); err == nil || !strings.Contains(err.Error(), "more scans") {
		t.Errorf("4 blocks of 3: %v", err)
	}
}

// FuzzDecode checks that whatever a file holds, decoding it ends with a picture
// of the size that its header has, or an error.
func FuzzDecode(f *testing.F) {
	names, err := filepath.Glob("testdata/*.tif")
	if err != nil || len(names) < 20 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		f.Add(read(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := DecodeConfig(bytes.NewReader(data))
		if err != nil || int64(cfg.Width)*int64(cfg.Height) > 1<<18 {
			return
		}
		memory, err := Memory(bytes.NewReader(data))
		if err != nil || memory < int64(cfg.Width)*int64(cfg.Height) {
			t.Errorf("%d bytes for %d x %d pixels, %v", memory, cfg.Width, cfg.Height, err)
		}
		img, err := Decode(bytes.NewReader(data))
		if err == nil && img.Bounds() != image.Rect(0, 0, cfg.Width, cfg.Height) {
			t.Errorf("bounds %v, header %d x %d", img.Bounds(), cfg.Width, cfg.Height)
		}
	})
}
