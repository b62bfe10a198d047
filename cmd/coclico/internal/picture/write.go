package picture

import (
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"path/filepath"
	"strings"
)

// DefaultQuality is the quality of JPEG files.
const DefaultQuality = 95

// Options are what a picture file is written with.
type Options struct {
	Quality int    // of JPEG, 1 to 100; 0 means DefaultQuality
	Notes   []Note // what the file says of itself: PNG's text chunks, JPEG's comment; a WebP says nothing
	Stream  []byte // the stream that a PNG holds; nil for none
}

// An Encoder writes a picture.
type Encoder func(w io.Writer, img image.Image, o Options) error

// EncoderFor returns the encoder for a file's ending: PNG for .png or none,
// JPEG for .jpg and .jpeg, WebP for .webp.
func EncoderFor(path string) (Encoder, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png", "":
		return func(w io.Writer, img image.Image, o Options) error { return encodePNG(w, img, o.Notes, o.Stream) }, nil
	case ".jpg", ".jpeg":
		return encodeJPEG, nil
	case ".webp":
		return func(w io.Writer, img image.Image, _ Options) error { return encodeWebP(w, img) }, nil
	default:
		return nil, fmt.Errorf("%s: pictures are written as .png, .jpg or .webp, not %s", path, ext)
	}
}

// IsPNG reports whether EncoderFor writes that file as a PNG, which alone can hold a stream.
func IsPNG(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".png" || ext == ""
}

// encodeJPEG writes a JPEG with its notes as a comment behind the start of the image.
func encodeJPEG(w io.Writer, img image.Image, o Options) error {
	if o.Quality == 0 {
		o.Quality = DefaultQuality
	}
	var text strings.Builder
	for _, n := range o.Notes {
		fmt.Fprintf(&text, "%s: %s\n", n.Key, n.Text)
	}
	var extra []byte
	if n := text.Len(); n > 0 && n < 1<<16-2 {
		extra = append([]byte{0xff, 0xfe, byte((n + 2) >> 8), byte(n + 2)}, text.String()...)
	}
	return jpeg.Encode(&inserter{w: w, at: 2, extra: extra}, img, &jpeg.Options{Quality: o.Quality})
}
