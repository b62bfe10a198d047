package quant

import (
	"image"
	"image/color"

	"github.com/coclico/coclico/codec/format"
)

const (
	errNoPixels   = format.UnsupportedError("picture without pixels")
	errManyPixels = format.UnsupportedError("picture of more than 536870912 pixels")
)

// MaxPixels is the largest number of pixels of a picture to encode: 20,000 x
// 20,000 is below it.
const MaxPixels = 1 << 29

// CenterSquare returns the largest square in the center of a picture as RGB
// [side, side, 3]. (Half of an odd margin is rounded down, like transformers'
// center crop.) Transparency is laid over white; 16 bits are rounded to 8. It
// allocates the square and nothing else of the picture's size, and returns a
// [format.UnsupportedError] if the picture has no pixels or more than
// [MaxPixels].
func CenterSquare(img image.Image) (rgb []byte, side int, err error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	side = min(w, h)
	margin := image.Pt((w-side)/2, (h-side)/2)
	rgb, err = readRGB(img, image.Rectangle{b.Min.Add(margin), b.Min.Add(margin).Add(image.Pt(side, side))})
	return rgb, side, err
}

// Whole is CenterSquare for all of the picture: RGB [h, w, 3].
func Whole(img image.Image) (rgb []byte, w, h int, err error) {
	b := img.Bounds()
	rgb, err = readRGB(img, b)
	return rgb, b.Dx(), b.Dy(), err
}

// readRGB reads a rectangle of a picture.
func readRGB(img image.Image, r image.Rectangle) ([]byte, error) {
	b := img.Bounds()
	if b.Dx() < 1 || b.Dy() < 1 {
		return nil, errNoPixels
	}
	if b.Dx() > MaxPixels/b.Dy() {
		return nil, errManyPixels
	}
	w, h := r.Dx(), r.Dy()
	rgb := make([]byte, w*h*3)
	row := rowReader(img)
	for y := range h {
		row(rgb[y*w*3:][:w*3], r.Min.X, r.Min.Y+y)
	}
	return rgb, nil
}

// rowReader returns the function that converts len(dst)/3 pixels starting at
// (x, y). The generic one is right for every picture; the others are for speed.
func rowReader(img image.Image) func(dst []byte, x, y int) {
	switch img := img.(type) {
	case *image.YCbCr:
		return ycbcrRow(img)
	case *image.NRGBA:
		return nrgbaRow(img)
	case *image.RGBA:
		return rgbaRow(img)
	case *image.Gray:
		return grayRow(img)
	}
	return genericRow(img)
}

func ycbcrRow(img *image.YCbCr) func(dst []byte, x, y int) {
	return func(dst []byte, x, y int) {
		for i := 0; i < len(dst); i += 3 {
			l, c := img.YOffset(x, y), img.COffset(x, y)
			dst[i], dst[i+1], dst[i+2] = color.YCbCrToRGB(img.Y[l], img.Cb[c], img.Cr[c])
			x++
		}
	}
}

func nrgbaRow(img *image.NRGBA) func(dst []byte, x, y int) {
	return func(dst []byte, x, y int) {
		src := img.Pix[img.PixOffset(x, y):]
		for i := 0; i < len(dst); i += 3 {
			if src[3] == 0xff {
				copy(dst[i:i+3], src)
			} else {
				dst[i], dst[i+1], dst[i+2] = overWhite(color.NRGBA{src[0], src[1], src[2], src[3]}.RGBA())
			}
			src = src[4:]
		}
	}
}

func rgbaRow(img *image.RGBA) func(dst []byte, x, y int) {
	return func(dst []byte, x, y int) {
		src := img.Pix[img.PixOffset(x, y):]
		for i := 0; i < len(dst); i += 3 {
			if src[3] == 0xff {
				copy(dst[i:i+3], src)
			} else {
				dst[i], dst[i+1], dst[i+2] = overWhite(color.RGBA{src[0], src[1], src[2], src[3]}.RGBA())
			}
			src = src[4:]
		}
	}
}

func grayRow(img *image.Gray) func(dst []byte, x, y int) {
	return func(dst []byte, x, y int) {
		src := img.Pix[img.PixOffset(x, y):]
		for i := 0; i < len(dst); i += 3 {
			dst[i], dst[i+1], dst[i+2] = src[i/3], src[i/3], src[i/3]
		}
	}
}

func genericRow(img image.Image) func(dst []byte, x, y int) {
	return func(dst []byte, x, y int) {
		for i := 0; i < len(dst); i += 3 {
			c := img.At(x, y)
			if p, ok := c.(color.YCbCr); ok { // its RGBA rounds otherwise than ycbcrRow
				dst[i], dst[i+1], dst[i+2] = color.YCbCrToRGB(p.Y, p.Cb, p.Cr)
			} else {
				dst[i], dst[i+1], dst[i+2] = overWhite(c.RGBA())
			}
			x++
		}
	}
}

// overWhite returns r, g, b, a (16 bits, premultiplied) over white in 8 bits.
func overWhite(r, g, b, a uint32) (byte, byte, byte) {
	over := func(v uint32) byte {
		return byte((min(v+0xffff-a, 0xffff)*255 + 0x7fff) / 0xffff)
	}
	return over(r), over(g), over(b)
}
