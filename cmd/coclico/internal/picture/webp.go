package picture

import (
	"fmt"
	"image"
	"io"

	"github.com/HugoSmits86/nativewebp"
	"golang.org/x/image/webp"
)

func webpFormat() format { return format{"WebP", "RIFF????WEBPVP8", webp.DecodeConfig, decodeWebP} }

// decodeWebP stretches what x/image decodes. VP8 has luma from 16 to 235 and chroma from 16 to 240 (RFC 6386, section 9.2),
// while Go's YCbCr, JPEG's, has 0 to 255; x/image v0.47 hands the one out as the other, and black is grey.
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		stretch(img)
	case *image.NYCbCrA:
		stretch(&img.YCbCr)
	}
	return img, nil
}

func stretch(img *image.YCbCr) {
	var luma, chroma [256]uint8
	for i := range 256 {
		luma[i] = uint8(min(max(((i-16)*255+109)/219, 0), 255))
		chroma[i] = uint8(min(max((i*255-128*255+128*224+112)/224, 0), 255))
	}
	for i, v := range img.Y {
		img.Y[i] = luma[v]
	}
	for _, plane := range [][]uint8{img.Cb, img.Cr} {
		for i, v := range plane {
			plane[i] = chroma[v]
		}
	}
}

// maxWebP is the largest side that the format has.
const maxWebP = 1 << 14

// encodeWebP writes a lossless WebP.
func encodeWebP(w io.Writer, img image.Image) error {
	if s := img.Bounds().Size(); s.X > maxWebP || s.Y > maxWebP {
		return fmt.Errorf("a WebP picture has at most %d x %d pixels", maxWebP, maxWebP)
	}
	e := &errWriter{w: w}
	if err := nativewebp.Encode(e, img, nil); err != nil {
		return err
	}
	return e.err
}

// An errWriter keeps the first error for an encoder that does not look at it.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) Write(p []byte) (n int, err error) {
	if e.err != nil {
		return 0, e.err
	}
	n, e.err = e.w.Write(p)
	return n, e.err
}
