package quant

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math/rand"
	"testing"
)

// opaque hides the type of a picture, so that the generic path reads it.
type opaque struct{ image.Image }

// pictures returns pictures of every kind with a fast path, and some without, filled with random bytes.
func pictures(r image.Rectangle) map[string]draw.Image {
	rng := rand.New(rand.NewSource(6))
	nrgba, rgba, gray := image.NewNRGBA(r), image.NewRGBA(r), image.NewGray(r)
	nrgba64, gray16 := image.NewNRGBA64(r), image.NewGray16(r)
	for _, pix := range [][]byte{nrgba.Pix, gray.Pix, nrgba64.Pix, gray16.Pix} {
		rng.Read(pix)
	}
	draw.Draw(rgba, r, nrgba, r.Min, draw.Src) // multiplied by alpha
	for i := 3; i < len(nrgba.Pix); i += 8 {
		nrgba.Pix[i], rgba.Pix[i] = 255, 255 // half of the pixels
	}
	return map[string]draw.Image{"NRGBA": nrgba, "RGBA": rgba, "Gray": gray, "NRGBA64": nrgba64, "Gray16": gray16}
}

// wantRGB is the color over white in 8 bits, in floats.
func wantRGB(c color.Color) [3]byte {
	r, g, b, a := c.RGBA()
	var rgb [3]byte
	for i, v := range []uint32{r, g, b} {
		rgb[i] = byte((float64(v)+65535-float64(a))/65535*255 + 0.5)
	}
	return rgb
}

func TestCenterSquare(t *testing.T) {
	type subImager interface {
		SubImage(image.Rectangle) image.Image
	}
	full := image.Rect(-5, 7, 20, 30)
	for name, img := range pictures(full) {
		for _, r := range []image.Rectangle{full, image.Rect(-2, 9, 20, 14), image.Rect(0, 8, 3, 30), image.Rect(4, 11, 5, 12)} {
			sub := img.(subImager).SubImage(r)
			rgb, side, err := CenterSquare(sub)
			if err != nil || side != min(r.Dx(), r.Dy()) {
				t.Fatalf("%s %v: side %d, %v", name, r, side, err)
			}
			for y := range side {
				for x := range side {
					want := wantRGB(sub.At(r.Min.X+(r.Dx()-side)/2+x, r.Min.Y+(r.Dy()-side)/2+y))
					if got := [3]byte(rgb[(y*side+x)*3:]); got != want {
						t.Fatalf("%s %v: pixel (%d, %d) is %v, want %v", name, r, x, y, got, want)
					}
				}
			}
			if generic, _, _ := CenterSquare(opaque{sub}); !bytes.Equal(generic, rgb) {
				t.Errorf("%s %v: the fast path and the generic one differ", name, r)
			}
		}
	}
}

func TestCenterSquareYCbCr(t *testing.T) {
	rng := rand.New(rand.NewSource(7))
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio411} {
		img := image.NewYCbCr(image.Rect(3, 1, 40, 31), ratio)
		rng.Read(img.Y)
		rng.Read(img.Cb)
		rng.Read(img.Cr)
		sub := img.SubImage(image.Rect(5, 2, 39, 29)).(*image.YCbCr) // 34 x 27
		rgb, side, err := CenterSquare(sub)
		if err != nil || side != 27 {
			t.Fatalf("side %d, %v", side, err)
		}
		for i := 0; i < len(rgb); i += 3 {
			c := sub.YCbCrAt(5+3+i/3%side, 2+i/3/side)
			r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			if [3]byte(rgb[i:]) != [3]byte{r, g, b} {
				t.Fatalf("%v: pixel %d is %v, want %v", ratio, i/3, rgb[i:i+3], []byte{r, g, b})
			}
		}
		if generic, _, _ := CenterSquare(opaque{sub}); !bytes.Equal(generic, rgb) {
			t.Errorf("%v: the fast path and the generic one differ", ratio)
		}
	}
}

func TestCenterSquareOverWhite(t *testing.T) {
	for _, c := range []struct {
		in   color.Color
		want byte
	}{
		{color.NRGBA{0, 0, 0, 0}, 255}, {color.NRGBA{0, 0, 0, 128}, 127}, {color.NRGBA64{0, 0, 0, 0x8000}, 127},
		{color.Gray16{0x0080}, 0}, {color.Gray16{0x0081}, 1}, {color.Gray16{0xff7e}, 254}, {color.Gray16{0xff7f}, 255},
		{color.RGBA64{0xffff, 0xffff, 0xffff, 0}, 255}, // no color: more than its alpha
	} {
		img := image.NewUniform(c.in)
		rgb, _, err := CenterSquare(cropped{img, image.Rect(0, 0, 1, 1)})
		if err != nil || rgb[0] != c.want {
			t.Errorf("%v over white is %d, want %d (%v)", c.in, rgb[0], c.want, err)
		}
	}
}

// cropped gives a picture other bounds.
type cropped struct {
	image.Image
	r image.Rectangle
}

func (c cropped) Bounds() image.Rectangle { return c.r }

func TestCenterSquareLimits(t *testing.T) {
	img := image.NewUniform(color.White)
	for _, c := range []struct {
		w, h int
		err  error
	}{
		{0, 5, errNoPixels}, {5, 0, errNoPixels}, {1, 1 << 29, nil}, {1, 1<<29 + 1, errManyPixels}, {31623, 31623, errManyPixels}, {1 << 30, 1 << 30, errManyPixels},
	} {
		if _, _, err := CenterSquare(cropped{img, image.Rectangle{Max: image.Pt(c.w, c.h)}}); err != c.err {
			t.Errorf("%d x %d: %v, want %v", c.w, c.h, err, c.err)
		}
	}
}
