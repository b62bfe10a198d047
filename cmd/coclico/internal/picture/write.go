package picture

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"strings"
)

// An Encoder writes a picture.
type Encoder func(w io.Writer, img image.Image) error

// EncoderFor returns the encoder for a file's ending: PNG for .png or none,
// JPEG for .jpg and .jpeg.
func EncoderFor(path string) (Encoder, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png", "":
		return png.Encode, nil
	case ".jpg", ".jpeg":
		return encodeJPEG, nil
	default:
		return nil, fmt.Errorf("%s: pictures are written as .png or .jpg, not %s", path, ext)
	}
}

func encodeJPEG(w io.Writer, img image.Image) error {
	return jpeg.Encode(w, img, &jpeg.Options{Quality: 95})
}
