//go:build !js

package heif

import (
	"bytes"
	"compress/gzip"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(data []byte) (image.Image, *Header, error) {
	h, err := ReadHeader(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	img, err := Decode(data, h)
	return img, h, err
}

// decodeWithin decodes a HEIC in that time, or not at all.
func decodeWithin(data []byte, h *Header, limit time.Duration) (image.Image, error) {
	m, err := heicMachine()
	if err != nil {
		return nil, err
	}
	return m.run(h.processMemory(int64(len(data))), limit, func(p *process) (image.Image, error) { return p.decodeItem(data, h) })
}

// overWhite draws a picture over white.
func overWhite(img image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Over)
	return out
}

// difference is the mean difference of two pictures, of 255, and border that of
// the two outermost pixels on each side.
func difference(t testing.TB, got, want image.Image) (all, border float64) {
	t.Helper()
	a, b := overWhite(got), overWhite(want)
	if a.Rect != b.Rect {
		t.Fatalf("bounds %v, want %v", a.Rect, b.Rect)
	}
	inner, n := a.Rect.Inset(2), 0
	for i, v := range a.Pix {
		d := math.Abs(float64(v) - float64(b.Pix[i]))
		all += d
		if p := image.Pt(i/4%a.Rect.Dx(), i/4/a.Rect.Dx()); !p.In(inner) {
			border += d
			n++
		}
	}
	return all / float64(len(a.Pix)*3/4), border / float64(n*3/4)
}

// TestDecode compares with what libheif and libavif make of the same files
// (testdata/make.py).
func TestDecode(t *testing.T) {
	for name, bound := range map[string]float64{
		"limited709.heic": 1, "full2020.heic": 1, "nameless.heic": 1, "narrow.heic": 2.5, "narrow422.heic": 2.5, "border.heic": 0.8, "gray.heic": 0, "alpha.heic": 1,
		"premultiplied.heic": 1, "premultiplied709.heic": 1,
		"deep.avif": 0.5, "turned.avif": 0, "limited.avif": 1, "alpha.avif": 0.5,
	} {
		t.Run(name, func(t *testing.T) {
			data := read(t, name)
			img, h, err := decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if cfg := h.Config(); image.Rect(0, 0, cfg.Width, cfg.Height) != img.Bounds() {
				t.Errorf("%d x %d according to the header, bounds %v", cfg.Width, cfg.Height, img.Bounds())
			}
			want, err := png.Decode(bytes.NewReader(read(t, name+".png")))
			if err != nil {
				t.Fatal(err)
			}
			d, border := difference(t, img, want)
			t.Logf("mean difference %.2f, at the border %.2f", d, border)
			if d > bound || border > 2*bound {
				t.Errorf("mean difference %.2f of 255, at the border %.2f, want at most %.2f and twice that", d, border, bound)
			}
		})
	}
}

// alphas returns the opacity of every pixel.
func alphas(img image.Image) (a []uint8) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			_, _, _, v := img.At(x, y).RGBA()
			a = append(a, uint8(v>>8))
		}
	}
	return a
}

// TestMask: transparency has a range of its own, and may have a number too large
// to be taken for the primary picture's.
func TestMask(t *testing.T) {
	data := read(t, "alpha.heic")
	img, h, err := decode(data)
	if err != nil || h.alpha == 0 || !h.fullMask || !h.signal().FullRange {
		t.Fatalf("%+v, %v", h, err)
	}
	want := alphas(img)
	h.CICP.FullRange = false // of the colors
	if img, err = Decode(data, h); err != nil || !slices.Equal(alphas(img), want) {
		t.Errorf("colors of another range change the transparency (%v)", err)
	}
	h.fullMask = false
	if img, err = Decode(data, h); err != nil || slices.Equal(alphas(img), want) {
		t.Errorf("the transparency's range does not count (%v)", err)
	}
	for _, c := range []struct {
		properties []box
		full       bool
	}{{nil, true}, {[]box{{"colr", []byte("nclx\x00\x02\x00\x02\x00\x02\x00")}}, false}} {
		if h.addMask(c.properties, false); h.fullMask != c.full {
			t.Errorf("%q: range %v", c.properties, h.fullMask)
		}
	}
	mask := &image.YCbCr{Y: []uint8{16, 235}, Cb: []uint8{100, 128}, Cr: []uint8{200, 128}, YStride: 2, CStride: 2, Rect: image.Rect(0, 0, 2, 1)}
	luma, err := lumaOf(mask, false)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := masked(image.NewGray(mask.Rect), luma, false); err != nil || !slices.Equal(alphas(img), []uint8{0, 255}) {
		t.Errorf("a mask with chroma: %v, %v", img, err)
	}
	gray := &image.Gray{Pix: []uint8{9, 40}, Stride: 2, Rect: mask.Rect}
	want = []uint8{0, 0, 0, 0, 40, 40, 40, 255} // no more than the opacity
	if img, err := masked(gray, luma, true); err != nil || !slices.Equal(img.(*image.RGBA).Pix, want) {
		t.Errorf("a premultiplied gray picture: %v, %v", img, err)
	}
	h.alpha = 1<<16 + 1
	var unsupported UnsupportedError
	if _, err := Decode(data, h); !errors.As(err, &unsupported) {
		t.Errorf("a number of more than two bytes: %v", err)
	}
}

// TestCorner: at an odd width the last sample of 4:2:2 chroma has a value.
func TestCorner(t *testing.T) {
	img, _, err := decode(read(t, "narrow422.heic"))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	x := color.YCbCrModel.Convert(img.At(b.Max.X-1, b.Max.Y-1)).(color.YCbCr)
	y := color.YCbCrModel.Convert(img.At(b.Max.X-1, b.Max.Y-2)).(color.YCbCr)
	if x.Cb != y.Cb || x.Cr != y.Cr {
		t.Errorf("chroma %d, %d, above it %d, %d", x.Cb, x.Cr, y.Cb, y.Cr)
	}
}

// TestTooDeep: what the module does not take to 8 bits is not called broken.
func TestTooDeep(t *testing.T) {
	var unsupported UnsupportedError
	for _, name := range []string{"deep444.heic", "deepgray.heic", "deepalpha.heic"} {
		if _, _, err := decode(read(t, name)); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "more than 8 bits") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if img, _, err := decode(read(t, "deepgbr.heic")); err != nil || img.ColorModel() != color.NRGBAModel {
		t.Errorf("red, green and blue: %v", err)
	}
}

// TestGrayParts: what the module does not put together is not called broken.
func TestGrayParts(t *testing.T) {
	for _, name := range []string{"oddgray.heic", "oddalpha.heic"} {
		_, _, err := decode(read(t, name))
		if err != UnsupportedError("gray or transparency in tiles") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestSignal checks that the matrix and the range are found in the coded picture
// where the file does not state them.
func TestSignal(t *testing.T) {
	h, err := ReadHeader(bytes.NewReader(read(t, "nameless.heic")))
	if err != nil {
		t.Fatal(err)
	}
	if want := (CICP{1, 13, 6, true}); h.CICP != nil || h.hevc == nil || *h.hevc != want {
		t.Errorf("file says %v, coded picture says %v, want %v", h.CICP, h.hevc, want)
	}
	h.hevc = nil
	if h.signal().FullRange {
		t.Error("full range is inferred, H.265 infers the limited one")
	}
}

// TestTransforms applies transforms to a picture of 3 x 2 pixels.
func TestTransforms(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 3, 2))
	copy(img.Pix, "aaaabbbbccccddddeeeeffff")
	for _, c := range []struct {
		t    transform
		w    int
		want string
	}{
		{rotation(0), 3, "abcdef"},
		{rotation(1), 2, "cfbead"},
		{rotation(2), 3, "fedcba"},
		{rotation(3), 2, "daebfc"},
		{mirror(0), 3, "defabc"},
		{mirror(1), 3, "cbafed"},
		{crop{1, 1, 2, 1, 0, 1, 0, 1}, 1, "be"},
		{crop{2, 1, 1, 1, 1, 2, -1, 2}, 2, "bc"},
	} {
		out, err := c.t.apply(img)
		if err != nil {
			t.Errorf("%T %v: %v", c.t, c.t, err)
			continue
		}
		got := ""
		for i := 0; i < len(out.(*image.RGBA).Pix); i += 4 {
			got += string(out.(*image.RGBA).Pix[i])
		}
		w, h := c.t.size(3, 2)
		if got != c.want || out.Bounds() != image.Rect(0, 0, w, h) || w != c.w {
			t.Errorf("%T %v: %q in %v, want %q, %d wide", c.t, c.t, got, out.Bounds(), c.want, c.w)
		}
	}
	for _, c := range []crop{{4, 1, 1, 1, 0, 1, 0, 1}, {1, 0, 1, 1, 0, 1, 0, 1}, {1, 1, 0, 1, 0, 1, 0, 1}, {1, 1, 1, 1, 9, 1, 0, 1}} {
		if _, err := c.apply(img); err == nil {
			t.Errorf("crop %v: no error", c)
		}
	}
}

// TestBounds checks that a decoder stops when its time or its memory is up.
func TestBounds(t *testing.T) {
	data := read(t, "gray.heic")
	m, err := heicMachine()
	if err != nil {
		t.Fatal(err)
	}
	store := func(n int) func(p *process) (image.Image, error) {
		return func(p *process) (image.Image, error) {
			p.store(make([]byte, n))
			return nil, p.err
		}
	}
	if _, err := m.run(16<<20, time.Minute, store(len(data))); err != nil {
		t.Errorf("%d bytes: %v", len(data), err)
	}
	if _, err := m.run(16<<20, time.Minute, store(17<<20)); !errors.Is(err, errMemory) {
		t.Errorf("17 MiB of 16: error %v", err)
	}
	h, err := ReadHeader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeWithin(data, h, time.Nanosecond); !errors.Is(err, errTime) {
		t.Errorf("in a nanosecond: error %v", err)
	}
	if _, err := m.run(16<<20, time.Minute, store(1)); err != nil {
		t.Errorf("after the process that took too long: %v", err)
	}
}

// TestMeter ends an endless loop.
func TestMeter(t *testing.T) {
	module := []byte("\x00asm\x01\x00\x00\x00" +
		"\x01\x09\x02\x60\x01\x7f\x01\x7f\x60\x00\x00" + // types: i32 to i32, nothing to nothing
		"\x02\x23\x01\x16wasi_snapshot_preview1\x08fd_close\x00\x00" + // an import
		"\x03\x02\x01\x01" + // a function
		"\x06\x06\x01\x7f\x00\x41\x07\x0b" + // a global
		"\x07\x08\x01\x04spin\x00\x01" + // an export
		"\x0a\x09\x01\x07\x00\x03\x40\x0c\x00\x0b\x0b") // loop; br 0; end
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(module); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := compile(z.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = m.run(1<<20, 50*time.Millisecond, func(p *process) (image.Image, error) {
		_, err := p.module.ExportedFunction("spin").Call(p.ctx)
		return nil, err
	})
	if !errors.Is(err, errTime) {
		t.Errorf("error %v after %v", err, time.Since(start))
	}
	for n := range module {
		if _, err := meter(module[:n], "fd_close", 1); err == nil && n > 100 {
			t.Errorf("the first %d bytes of a module of %d can be metered", n, len(module))
		}
	}
	if _, err := meter(module, "fd_open", 1); err == nil {
		t.Error("a module that does not import the function can be metered")
	}
}

// TestHostile decodes damaged files. Whatever comes of them is an error or a
// picture of the announced size.
func TestHostile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"nameless.heic", "alpha.heic", "deep.avif", "turned.avif"} {
		good := read(t, name)
		for i := range 30 {
			data := bytes.Clone(good)
			if i%3 == 0 {
				data = data[:rng.IntN(len(data))]
			} else {
				for range 1 + i/5 {
					data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
				}
			}
			h, err := ReadHeader(bytes.NewReader(data))
			if err != nil || h.pixels() > 1<<20 {
				continue
			}
			img, err := Decode(data, h)
			if err == nil && img.Bounds().Dx()*img.Bounds().Dy() > int(h.pixels()) {
				t.Errorf("%s, change %d: bounds %v, but %d pixels announced", name, i, img.Bounds(), h.pixels())
			}
		}
	}
}

// TestCut checks that a file that ends early is called that.
func TestCut(t *testing.T) {
	for _, name := range []string{"gray.heic", "limited.avif"} {
		data := read(t, name)
		if _, _, err := decode(data[:len(data)-1]); err != io.ErrUnexpectedEOF {
			t.Errorf("%s without its last byte: error %v", name, err)
		}
	}
}

// TestDisagreement lets a file announce fewer pixels than its coded picture has.
func TestDisagreement(t *testing.T) {
	for _, name := range []string{"gray.heic", "limited.avif"} {
		data := read(t, name)
		h, err := ReadHeader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		h.codedWidth /= 2
		if _, err := Decode(data, h); !errors.Is(err, errSize) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestKnown(t *testing.T) {
	for head, want := range map[string]string{
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": "HEIC",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic": "HEIC",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif": "AVIF",
		"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00mif1heic": "AVIF",
		"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp41avif": "AVIF",
		"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41avif": "",
		"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom": "",
		"\x00\x00\x00\x18moov":                             "",
		"":                                                 "",
	} {
		if got, ok := Known([]byte(head)); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", head, got, ok, want)
		}
	}
}

// FuzzHeader checks that whatever a file's description holds, reading it ends
// with bounded memory.
func FuzzHeader(f *testing.F) {
	names, err := filepath.Glob("testdata/*.[ha][ev]i[cf]")
	if err != nil || len(names) < 10 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		data := read(f, filepath.Base(name))
		f.Add(data[:min(len(data), 2048)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Known(data)
		h, err := ReadHeader(bytes.NewReader(data))
		if err != nil {
			return
		}
		if cfg := h.Config(); cfg.Width < 1 || cfg.Height < 1 || h.Memory(int64(len(data))) < h.pixels() || h.Memory(1<<40) < 0 {
			t.Errorf("%d x %d pixels in %d bytes", cfg.Width, cfg.Height, h.Memory(0))
		}
		if h.alpha != 0 && h.primaryAt+h.primaryBytes > len(data) {
			t.Errorf("%d bytes at %d of %d", h.primaryBytes, h.primaryAt, len(data))
		}
	})
}
