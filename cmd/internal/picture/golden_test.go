package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec/quant"
)

// pixels returns the center square of a picture over white.
func pixels(t *testing.T, img image.Image) []byte {
	t.Helper()
	rgb, _, err := quant.CenterSquare(img)
	if err != nil {
		t.Fatal(err)
	}
	return rgb
}

// TestGolden reads what Go's encoders do not write, and compares with what Pillow
// reads (testdata/make.py). Lossless files agree. Lossy ones differ where chroma is
// enlarged, by repetition here and linearly there.
func TestGolden(t *testing.T) {
	for name, mean := range map[string]float64{
		"progressive.jpg": 2.6, "cmyk.jpg": 0.1, "ycck.jpg": 0.2, "lossy.webp": 2.6, "lossy-alpha.webp": 2.6,
		"lossless-alpha.webp": 0, "part.webp": 0, "lzw.tiff": 0, "deflate-alpha.tiff": 0, "film.gif": 0, "p3.avif": 0.1,
	} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := os.ReadFile("testdata/" + name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		img, err := read(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := png.Decode(bytes.NewReader(ref))
		if err != nil {
			t.Fatal(err)
		}
		if img.Bounds() != want.Bounds() {
			t.Errorf("%s: bounds %v, want %v", name, img.Bounds(), want.Bounds())
			continue
		}
		sum, got := 0, pixels(t, img)
		for i, v := range pixels(t, want) {
			sum += max(int(v)-int(got[i]), int(got[i])-int(v))
		}
		if d := float64(sum) / float64(len(got)); d > mean {
			t.Errorf("%s: differs by %.2f of 255 on average, at most %.2f are allowed", name, d, mean)
		}
	}
}

// TestDepths checks that 16 bits, palettes and alpha become 8 bits over white.
func TestDepths(t *testing.T) {
	palette := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.NRGBA{0, 0, 0, 51}, color.White})
	for name, c := range map[string]struct {
		img  image.Image
		want [3]byte
	}{
		"16 bits":           {pixel(image.NewRGBA64, color.RGBA64{0xffff, 0x8080, 0x0101, 0xffff}), [3]byte{255, 128, 1}},
		"16 bits, gray":     {pixel(image.NewGray16, color.Gray16{0x4040}), [3]byte{64, 64, 64}},
		"16 bits and alpha": {pixel(image.NewNRGBA64, color.NRGBA64{0, 0, 0xffff, 0x3333}), [3]byte{204, 204, 255}},
		"8 bits and alpha":  {pixel(image.NewNRGBA, color.NRGBA{255, 0, 0, 0}), [3]byte{255, 255, 255}},
		"palette":           {palette, [3]byte{204, 204, 204}},
	} {
		img, err := read(encode(t, func(w io.Writer) error { return png.Encode(w, c.img) }))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := pixels(t, img); [3]byte(got) != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func pixel[T interface {
	image.Image
	Set(x, y int, c color.Color)
}](make func(image.Rectangle) T, c color.Color) image.Image {
	img := make(image.Rect(0, 0, 1, 1))
	img.Set(0, 0, c)
	return img
}

// TestLimits checks that the claims of a header are judged before they are
// believed.
func TestLimits(t *testing.T) {
	deep := pngHeader(16_384, 16_384)
	deep[24], deep[25] = 16, 6 // bits; with alpha
	binary.BigEndian.PutUint32(deep[29:], crc32.ChecksumIEEE(deep[12:29]))
	progressive, err := os.ReadFile("testdata/progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	interlaced := pngHeader(16_384, 16_384) // 1024 MiB, if it were not
	interlaced[28] = 1
	binary.BigEndian.PutUint32(interlaced[29:], crc32.ChecksumIEEE(interlaced[12:29]))
	vast := bytes.Clone(progressive)
	at := bytes.Index(vast, []byte{0xff, 0xc2})
	binary.BigEndian.PutUint16(vast[at+5:], 16_000) // height
	binary.BigEndian.PutUint16(vast[at+7:], 16_000) // width
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"20,000 x 20,000":          {pngHeader(20_000, 20_000), "at most 268435456 pixels"},
		"16,384 x 16,384, 16 bits": {deep, "takes 2048 MiB to read: at most 1024"},
		"interlaced":               {interlaced, "takes 2048 MiB to read: at most 1024"},
		"16,000 x 16,000 JPEG":     {vast, "takes 1831 MiB to read: at most 1024"},
	} {
		if _, err := read(c.data); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	f, err := Open(bytes.NewReader(progressive))
	if err != nil || f.Memory != 48*32*15/2 {
		t.Errorf("a progressive JPEG takes %d bytes (%v)", f.Memory, err)
	}
}

// TestHEIF reads a HEIC and an AVIF whose transforms are in the container.
func TestHEIF(t *testing.T) {
	for name, want := range map[string]image.Rectangle{
		"testdata/test8.heic":        image.Rect(0, 0, 512, 512),
		"heif/testdata/turned.avif":  image.Rect(0, 0, 50, 75),
		"heif/testdata/narrow.heic":  image.Rect(0, 0, 21, 31),
		"heif/testdata/limited.avif": image.Rect(0, 0, 75, 50),
	} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := read(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if img.Bounds() != want {
			t.Errorf("%s: bounds %v, want %v", name, img.Bounds(), want)
		}
		if _, err := read(data[:len(data)/2]); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("half of %s: error %v", name, err)
		}
	}
}
