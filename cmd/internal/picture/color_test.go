package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// TestTwins compares pictures with what they look like, plain upright sRGB ones.
// JPEG files differ by the enlarging of chroma, see TestGolden, and the gray one in
// the darkest shades, which 8 bits of linear light do not hold.
func TestTwins(t *testing.T) {
	for name, mean := range map[string]float64{
		"icc_adobe.jpg": 4.4, "icc_p3.jpg": 2.7, "icc_grey_linear.png": 0.7, "icc_p3_red.png": 0,
		"gama1_linear16.png": 0, "eXIf6.png": 0, "orient6.tif": 0,
	} {
		img, err := read(testFile(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := png.Decode(bytes.NewReader(testFile(t, name+".twin.png")))
		if err != nil {
			t.Fatal(err)
		}
		if img.Bounds().Size() != want.Bounds().Size() {
			t.Errorf("%s: bounds %v, want %v", name, img.Bounds(), want.Bounds())
			continue
		}
		if d := meanDifference(t, img, want); d > mean {
			t.Errorf("%s: differs by %.2f of 255 on average, at most %.2f are allowed", name, d, mean)
		}
	}
	// The code points of Display P3 mean what its profile does.
	raw := must(png.Decode(bytes.NewReader(testFile(t, "cicp_p3.png"))))
	m := metadata{}
	m.setICC(readICC(t, "v4-p3-para3.icc"))
	if d := meanDifference(t, must(read(testFile(t, "cicp_p3.png"))), must(toSRGB(raw, m.profile))); d > 0.01 {
		t.Errorf("cicp_p3.png: differs by %.4f of 255 from an ICC profile's", d)
	}
	exact := must(png.Decode(bytes.NewReader(testFile(t, "icc_grey_linear.png.lcms.png"))))
	if d := meanDifference(t, must(read(testFile(t, "icc_grey_linear.png"))), exact); d > 0 {
		t.Errorf("the gray picture differs by %.4f of 255 from Little CMS's", d)
	}
}

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func meanDifference(t *testing.T, x, y image.Image) float64 {
	t.Helper()
	sum, got := 0, pixels(t, x)
	for i, v := range pixels(t, y) {
		sum += max(int(v)-int(got[i]), int(got[i])-int(v))
	}
	return float64(sum) / float64(len(got))
}

// A colorCase is a profile, a color, and the sRGB one that Little CMS has for it.
type colorCase struct {
	profile  []byte
	in, want color.NRGBA
}

// goldenColor returns the color of three of 9 levels from icc's golden files.
func goldenColor(t *testing.T, profile string, r, g, b int) colorCase {
	t.Helper()
	data := readICC(t, profile+".icc")
	rgb := readICC(t, profile+".rgb")
	at := 3 * (r*81 + g*9 + b)
	level := func(i int) uint8 { return uint8(255 * i / 8) }
	return colorCase{data, color.NRGBA{level(r), level(g), level(b), 255}, color.NRGBA{rgb[at], rgb[at+1], rgb[at+2], 255}}
}

// goldenGray is goldenColor for one of 256 grays.
func goldenGray(t *testing.T, profile string, v uint8) colorCase {
	t.Helper()
	rgb := readICC(t, profile+".rgb")
	at := len(rgb) - 3*256 + 3*int(v)
	return colorCase{readICC(t, profile+".icc"), color.NRGBA{v, v, v, 255}, color.NRGBA{rgb[at], rgb[at+1], rgb[at+2], 255}}
}

func readICC(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../icc/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// flat returns a picture of one color in a type of image.
func flat(kind string, c color.Color) image.Image {
	r := image.Rect(0, 0, 16, 16)
	fill := func(img interface {
		image.Image
		Set(x, y int, c color.Color)
	}) image.Image {
		for i := range 16 * 16 {
			img.Set(i%16, i/16, c)
		}
		return img
	}
	switch kind {
	case "Gray":
		return fill(image.NewGray(r))
	case "Gray16":
		return fill(image.NewGray16(r))
	case "NRGBA":
		return fill(image.NewNRGBA(r))
	case "RGBA":
		return fill(image.NewRGBA(r))
	case "NRGBA64":
		return fill(image.NewNRGBA64(r))
	case "RGBA64":
		return fill(image.NewRGBA64(r))
	case "Paletted":
		return fill(image.NewPaletted(r, color.Palette{color.Black, c}))
	}
	panic(kind)
}

// TestToSRGB converts every type of picture, upright and turned, opaque and not.
func TestToSRGB(t *testing.T) {
	p3 := goldenColor(t, "v2-p3-1024-samples", 5, 3, 2)
	gray := goldenGray(t, "gray-v2-gamma", 77)
	grayAsRGB := goldenGray(t, "v2-adobe-gamma", 77)
	for _, kind := range []string{"Gray", "Gray16", "NRGBA", "RGBA", "NRGBA64", "RGBA64", "Paletted"} {
		for _, alpha := range []uint8{255, 128} {
			cases := []colorCase{p3, gray, grayAsRGB}
			if strings.HasPrefix(kind, "Gray") {
				cases = cases[1:]
			}
			for i, c := range cases {
				m := metadata{}
				m.setICC(c.profile)
				if m.faulty != nil {
					t.Fatal(m.faulty)
				}
				c.in.A, c.want.A = alpha, alpha
				if strings.HasPrefix(kind, "Gray") {
					c.in.A, c.want.A = 255, 255
				}
				for _, img := range []image.Image{flat(kind, c.in), turned{flat(kind, c.in), 6}} {
					converted, err := toSRGB(img, m.profile)
					if err != nil {
						t.Errorf("%s, case %d: %v", kind, i, err)
					}
					if converting(img.ColorModel(), m.profile) == 0 && converted != img {
						t.Errorf("%s, case %d: a conversion that takes no memory makes a picture", kind, i)
					}
					got := color.NRGBAModel.Convert(converted.At(3, 4)).(color.NRGBA)
					tolerance := 1
					if kind == "RGBA" && alpha == 128 {
						tolerance = 4 // the color has 128 levels there
					}
					if far(got, c.want, tolerance) {
						t.Errorf("%s, case %d: %v is %v, want %v", kind, i, c.in, got, c.want)
					}
				}
			}
		}
	}
}

// TestExpand compares the pixels of planes with those that At computes.
func TestExpand(t *testing.T) {
	planes := image.NewNYCbCrA(image.Rect(3, 2, 20, 13), image.YCbCrSubsampleRatio420)
	for i, plane := range [][]uint8{planes.Y, planes.Cb, planes.Cr, planes.A} {
		for j := range plane {
			plane[j] = uint8(90*i + 7*j + j*j)
		}
	}
	for _, img := range []image.Image{planes, &planes.YCbCr} {
		got := image.NewNRGBA(img.Bounds())
		expand(got, img)
		eachPixel(img, func(x, y int, c color.Color) {
			want := c
			if ycbcr, ok := c.(color.YCbCr); ok {
				r, g, b := color.YCbCrToRGB(ycbcr.Y, ycbcr.Cb, ycbcr.Cr)
				want = color.NRGBA{r, g, b, 255}
			} else {
				n := c.(color.NYCbCrA)
				r, g, b := color.YCbCrToRGB(n.Y, n.Cb, n.Cr)
				want = color.NRGBA{r, g, b, n.A}
			}
			if got.NRGBAAt(x, y) != want {
				t.Errorf("%T at %d, %d: %v, want %v", img, x, y, got.NRGBAAt(x, y), want)
			}
		})
	}
}

func far(x, y color.NRGBA, tolerance int) bool {
	for _, d := range []int{int(x.R) - int(y.R), int(x.G) - int(y.G), int(x.B) - int(y.B), int(x.A) - int(y.A)} {
		if max(d, -d) > tolerance {
			return true
		}
	}
	return false
}

// TestPrecision checks that 16 bits are converted before they are rounded to 8: in
// linear light the darkest shades of 8 bits are far apart.
func TestPrecision(t *testing.T) {
	data := encode(t, func(w io.Writer) error { return png.Encode(w, flat("RGBA64", color.RGBA64{20, 20, 20, 0xffff})) })
	img, err := read(withChunk(data, "gAMA", "\x00\x01\x86\xa0"))
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := img.At(0, 0).RGBA(); r < 256 || r > 260 { // 20 * 12.92 = 258
		t.Errorf("20 of 65535 in linear light is %d", r)
	}
}

// withChunk inserts a chunk behind a PNG's header.
func withChunk(data []byte, name, body string) []byte {
	return slices.Concat(data[:pngStart], appendChunk(nil, name, []byte(body)), data[pngStart:])
}

// iccp returns the body of the chunk iCCP.
func iccp(profile []byte) string {
	var b bytes.Buffer
	b.WriteString("a name\x00\x00")
	z := zlib.NewWriter(&b)
	z.Write(profile)
	z.Close()
	return b.String()
}

// withProfile inserts a profile into a JPEG, in parts of n bytes.
func withProfile(data, profile []byte, n int) []byte {
	var segments []byte
	parts := slices.Collect(slices.Chunk(profile, n))
	for i, part := range parts {
		segments = append(segments, segment(0xe2, iccSegment+string([]byte{byte(i + 1), byte(len(parts))})+string(part))...)
	}
	return slices.Concat(data[:2], segments, data[2:])
}

// webpWith returns an extended WebP of the chunks, and a picture of a pixel behind
// the first.
func webpWith(first, second string, bodies ...[]byte) []byte {
	chunk := func(name string, body []byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
		b = append(b, body...)
		return append(b, make([]byte, len(body)%2)...)
	}
	data := []byte("WEBP" + "VP8X\x0a\x00\x00\x00\x28\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	data = append(data, chunk(first, bodies[0])...)
	data = append(data, webpFile[12:]...)
	data = append(data, chunk(second, bodies[1])...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(data))), data...)
}

// tiffWith returns a TIFF with another tag.
func tiffWith(t *testing.T, img image.Image, tag, kind uint16, count uint32, value []byte) []byte {
	data := encode(t, func(w io.Writer) error { return tiff.Encode(w, img, nil) })
	order := binary.LittleEndian
	at := int(order.Uint32(data[4:]))
	n := int(order.Uint16(data[at:]))
	before, behind := data[at+2:][:12*n], []byte{}
	for i := range n { // in ascending order
		if order.Uint16(before[12*i:]) > tag {
			before, behind = before[:12*i], before[12*i:]
			break
		}
	}
	where := uint32(len(data))
	data = append(data, value...)
	order.PutUint32(data[4:], uint32(len(data)))
	data = order.AppendUint16(data, uint16(n+1))
	data = append(data, before...)
	data = order.AppendUint16(data, tag)
	data = order.AppendUint16(data, kind)
	data = order.AppendUint32(data, count)
	if len(value) > 4 {
		data = order.AppendUint32(data, where)
	} else {
		data = append(data, append(value, 0, 0, 0, 0)[:4]...)
	}
	return order.AppendUint32(append(data, behind...), 0)
}

func must(img image.Image, err error) image.Image {
	if err != nil {
		panic(err)
	}
	return img
}

// TestPrecedence checks which of a PNG's chunks counts.
func TestPrecedence(t *testing.T) {
	const linear, usual, srgbPrimaries = "\x00\x01\x86\xa0", "\x00\x00\xb1\x8f", "\x00\x00\x7a\x26\x00\x00\x80\x84\x00\x00\xfa\x00\x00\x00\x80\xe8\x00\x00\x75\x30\x00\x00\xea\x60\x00\x00\x3a\x98\x00\x00\x17\x70"
	const p3Primaries = "\x00\x00\x7a\x26\x00\x00\x80\x84\x00\x01\x09\xa0\x00\x00\x7d\x00\x00\x00\x67\x84\x00\x01\x0d\x88\x00\x00\x3a\x98\x00\x00\x17\x70"
	c := goldenColor(t, "v2-p3-1024-samples", 5, 3, 2)
	light := goldenColor(t, "v2-p3-identity", 5, 3, 2)
	cube := goldenColor(t, "v4-p3-para0", 5, 3, 2) // the power 2.2
	file := encode(t, func(w io.Writer) error { return png.Encode(w, flat("RGBA", c.in)) })
	other := iccp(readICC(t, "v2-falling-curve.icc"))
	type chunk struct{ name, body string }
	for name, f := range map[string]struct {
		chunks []chunk // in the order of the file
		want   color.NRGBA
		warn   string
	}{
		"none":                {nil, c.in, ""},
		"cICP":                {[]chunk{{"cICP", "\x0c\x0d\x00\x01"}, {"iCCP", other}, {"gAMA", linear}}, c.want, ""},
		"cICP, linear":        {[]chunk{{"cICP", "\x0c\x08\x00\x01"}}, light.want, ""},
		"cICP, sRGB":          {[]chunk{{"cICP", "\x01\x0d\x00\x01"}, {"gAMA", linear}}, c.in, ""},
		"PQ":                  {[]chunk{{"cICP", "\x09\x10\x00\x01"}}, c.in, "unsupported color profile: high dynamic range, PQ"},
		"PQ, and a profile":   {[]chunk{{"cICP", "\x09\x10\x00\x01"}, {"iCCP", iccp(c.profile)}}, c.want, ""},
		"HLG, and gAMA":       {[]chunk{{"cICP", "\x09\x12\x00\x01"}, {"gAMA", linear}}, c.in, "unsupported color profile: high dynamic range, HLG"},
		"narrow range":        {[]chunk{{"cICP", "\x0c\x0d\x00\x00"}}, c.in, "unsupported color profile: values of narrow range"},
		"matrix":              {[]chunk{{"cICP", "\x0c\x0d\x01\x01"}}, c.in, "invalid color profile: bad code points"},
		"iCCP before gAMA":    {[]chunk{{"gAMA", linear}, {"iCCP", iccp(c.profile)}}, c.want, ""},
		"sRGB before gAMA":    {[]chunk{{"sRGB", "\x00"}, {"gAMA", linear}, {"cHRM", p3Primaries}}, c.in, ""},
		"gAMA and cHRM":       {[]chunk{{"gAMA", linear}, {"cHRM", p3Primaries}}, light.want, ""},
		"gAMA of sRGB, cHRM":  {[]chunk{{"gAMA", usual}, {"cHRM", p3Primaries}}, cube.want, ""},
		"cHRM":                {[]chunk{{"cHRM", p3Primaries}}, c.want, ""},
		"sRGB in other words": {[]chunk{{"gAMA", usual}, {"cHRM", srgbPrimaries}}, c.in, ""},
		"gAMA of sRGB":        {[]chunk{{"gAMA", usual}}, c.in, ""},
		"gAMA 0":              {[]chunk{{"gAMA", "\x00\x00\x00\x00"}}, c.in, ""},
		"cHRM 0":              {[]chunk{{"cHRM", strings.Repeat("\x00", 32)}}, c.in, "invalid color profile: primaries without a gamut"},
		"no profile":          {[]chunk{{"iCCP", iccp([]byte("once upon a time"))}}, c.in, "invalid color profile: too short"},
		"not compressed":      {[]chunk{{"iCCP", "name\x00\x00profile"}}, c.in, "invalid color profile: bad compression"},
		"no name":             {[]chunk{{"iCCP", "name"}}, c.in, "invalid color profile: bad compression"},
		"a bomb":              {[]chunk{{"iCCP", iccp(make([]byte, maxProfile+1))}}, c.in, "invalid color profile: too long"},
		"a profile for gray":  {[]chunk{{"iCCP", iccp(readICC(t, "gray-v2-gamma.icc"))}}, c.in, "color profile of another kind of picture"},
	} {
		data := file
		for _, chunk := range slices.Backward(f.chunks) {
			data = withChunk(data, chunk.name, chunk.body)
		}
		file, err := Open(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img, err := file.Image()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := color.NRGBAModel.Convert(img.At(0, 0)).(color.NRGBA); far(got, f.want, 1) {
			t.Errorf("%s: %v, want %v", name, got, f.want)
		}
		var want []string
		if f.warn != "" {
			want = []string{"its colors may be off: " + f.warn}
		}
		if !slices.Equal(file.Warnings, want) {
			t.Errorf("%s: warnings %q, want %q", name, file.Warnings, want)
		}
	}
}

// TestFaultyJPEGProfiles checks that each costs a warning, and no more.
func TestFaultyJPEGProfiles(t *testing.T) {
	profile := readICC(t, "v2-p3-1024-samples.icc")
	file := encode(t, func(w io.Writer) error { return jpeg.Encode(w, flat("RGBA", color.White), nil) })
	parts := withProfile(file, profile, 1000)
	at := bytes.Index(parts, []byte(iccSegment)) - 4
	twice := slices.Concat(parts[:at], parts[at:at+1018], parts[at:])
	cmyk := withProfile(testFile(t, "cmyk.jpg"), profile, 60_000)
	press := bytes.Clone(profile)
	copy(press[16:], "CMYK")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a part missing":          {slices.Concat(parts[:at], parts[at+1018:]), "invalid color profile: part missing"},
		"a part twice":            {twice, "invalid color profile: parts that do not fit together"},
		"cut":                     {withProfile(file, profile[:len(profile)/2], 60_000), "invalid color profile: no curves or colorants"},
		"CMYK of an RGB profile":  {cmyk, "color profile of another kind of picture"},
		"CMYK of its own profile": {withProfile(testFile(t, "cmyk.jpg"), press, 60_000), "unsupported color profile: CMYK"},
		"a long one":              {withProfile(file, make([]byte, maxProfile+70_000), 65_000), "invalid color profile: too long"},
		"no number":               {slices.Concat(file[:2], segment(0xe2, iccSegment), file[2:]), "invalid color profile: parts that do not fit together"},
	} {
		f, err := Open(bytes.NewReader(c.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := f.Image(); err != nil || !slices.Equal(f.Warnings, []string{"its colors may be off: " + c.want}) {
			t.Errorf("%s: %v, warnings %q, want %q", name, err, f.Warnings, c.want)
		}
	}
}
