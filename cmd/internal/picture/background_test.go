package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
)

func TestParseColor(t *testing.T) {
	for s, want := range map[string]color.RGBA{
		"white": {255, 255, 255, 255}, "black": {0, 0, 0, 255}, "gray": {128, 128, 128, 255},
		"#1aF": {0x11, 0xaa, 0xff, 255}, "#0123eF": {0x01, 0x23, 0xef, 255},
	} {
		if got, err := ParseColor(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "red", "White", "#", "#12", "#1234", "#12345", "#1234567", "#12345g", "1234567", "#ggg", "fff0", "#é1"} {
		if got, err := ParseColor(s); err == nil {
			t.Errorf("%q: %v and no error", s, got)
		}
	}
}

// TestOver lays a color of half alpha over others, in every type of picture.
func TestOver(t *testing.T) {
	half := color.NRGBA{200, 100, 0, 128}
	for _, kind := range []string{"NRGBA", "RGBA", "NRGBA64", "RGBA64", "Paletted"} {
		for _, img := range []image.Image{flat(kind, half), turned{flat(kind, half), 6}} {
			for background, want := range map[color.RGBA]color.NRGBA{
				{0, 0, 0, 255}:       {100, 50, 0, 255},
				{255, 255, 254, 255}: {227, 177, 126, 255},
				{0, 0, 255, 255}:     {100, 50, 127, 255},
			} {
				got := color.NRGBAModel.Convert(Over(img, background).At(3, 4)).(color.NRGBA)
				if far(got, want, 1) {
					t.Errorf("%s over %v: %v, want %v", kind, background, got, want)
				}
			}
			// White is what codec lays it over.
			if !bytes.Equal(pixels(t, over{img, [3]uint32{0xffff, 0xffff, 0xffff}}), pixels(t, img)) {
				t.Errorf("%s over white differs from none", kind)
			}
		}
	}
	img, clear := flat("NRGBA", color.White), flat("NRGBA", half)
	if Over(img, color.RGBA{A: 255}) != img || Over(clear, color.RGBA{255, 255, 255, 255}) != clear {
		t.Error("an opaque picture, and one over white, are not left alone")
	}
}

// TestClearBMP checks that alpha counts only if some pixel has any.
func TestClearBMP(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.Pix[i] = uint8(i%4) * 70 // 0, 70, 140 and alpha
	}
	data := encode(t, func(w io.Writer) error { return bmp.Encode(w, img) })
	// A header of version 4, unlike the oldest, has alpha.
	const head, oldest, version4 = 14, 40, 108
	data = slices.Concat(data[:head+oldest], make([]byte, version4-oldest), data[head+oldest:])
	start := head + version4
	binary.LittleEndian.PutUint32(data[10:], uint32(start))
	binary.LittleEndian.PutUint32(data[head:], version4)
	for name, c := range map[string]struct {
		some uint8 // alpha of a pixel
		want color.NRGBA
	}{
		"none": {0, color.NRGBA{0, 70, 140, 255}},
		"some": {1, color.NRGBA{0, 70, 140, 0}},
	} {
		for i := start + 3; i < len(data); i += 4 {
			data[i] = 0
		}
		data[start+3] = c.some
		got, err := read(data)
		if err != nil {
			t.Fatal(err)
		}
		if got := got.At(5, 5); got != c.want {
			t.Errorf("alpha in %s: %v, want %v", name, got, c.want)
		}
	}
}
