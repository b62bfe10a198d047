package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// MaxPixels is the largest picture that is read: 16,384 x 16,384 pixels, or
// any other shape of that area. In memory it has 0.4 to 2 GiB.
const MaxPixels = 1 << 28

// A Format is a kind of picture file that can be read.
type Format struct {
	Name   string
	magic  string // the first bytes; a question mark stands for any
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// formats is the list of what is read. The standard library's registry is not
// used: it answers "unknown format" for what begins like a PNG and is none.
func formats() []Format {
	return []Format{
		{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
		{"JPEG", "\xff\xd8", jpeg.DecodeConfig, jpeg.Decode},
		{"GIF", "GIF8?a", gif.DecodeConfig, gif.Decode}, // its first frame
		{"WebP", "RIFF????WEBPVP8", webp.DecodeConfig, webp.Decode},
		{"TIFF", "II\x2a\x00", tiff.DecodeConfig, tiff.Decode},
		{"TIFF", "MM\x00\x2a", tiff.DecodeConfig, tiff.Decode},
		{"BMP", "BM????\x00\x00\x00\x00", bmp.DecodeConfig, bmp.Decode},
	}
}

// Read decodes a picture, whose format it finds by the content, and turns it as
// the camera's EXIF says. The size is checked before anything is allocated. Errors do not name the file.
func Read(r io.ReadSeeker) (image.Image, error) {
	f, err := sniff(r)
	if err != nil {
		return nil, err
	}
	var cfg image.Config
	err = guard(f, func() (err error) {
		cfg, err = f.config(r)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case cfg.Width < 1 || cfg.Height < 1:
		return nil, fmt.Errorf("a %s picture without pixels (%d x %d)", f.Name, cfg.Width, cfg.Height)
	case cfg.Width > MaxPixels/cfg.Height:
		return nil, fmt.Errorf("a picture of %d x %d pixels: at most %d pixels are read, scale it down first", cfg.Width, cfg.Height, MaxPixels)
	}
	held := 1
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if f.Name == "JPEG" {
		held = orientation(r)
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
	}
	var img image.Image
	err = guard(f, func() (err error) {
		img, err = f.decode(r)
		return err
	})
	if err == nil && img.Bounds().Empty() {
		err = fmt.Errorf("a %s picture without pixels", f.Name)
	}
	if err == nil && held != 1 {
		img = turned{img, held}
	}
	return img, err
}

// sniff finds the format and goes back to the start.
func sniff(r io.ReadSeeker) (Format, error) {
	head := make([]byte, 16)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Format{}, err
	}
	head = head[:n]
	if n == 0 {
		return Format{}, errors.New("is empty, a picture is needed")
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Format{}, err
	}
	for _, f := range formats() {
		if matches(f.magic, head) {
			return f, nil
		}
	}
	return Format{}, errors.New("not a picture that can be read (PNG, JPEG, GIF, WebP, TIFF, BMP)")
}

func matches(magic string, head []byte) bool {
	if len(magic) > len(head) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != head[i] {
			return false
		}
	}
	return true
}

// guard runs a decoder. Decoders return errors; one that panics on a bad file
// all the same must not take the program with it, which works on a list.
func guard(f Format, decode func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("not a valid %s picture", f.Name)
		}
	}()
	err = decode()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		strings.HasSuffix(err.Error(), "short Huffman data"): // image/jpeg's end of file
		return fmt.Errorf("a %s picture that is cut short", f.Name)
	}
	reason := err.Error()
	for _, prefix := range []string{"png: ", "jpeg: ", "gif: ", "webp: ", "vp8: ", "vp8l: ", "riff: ", "tiff: ", "bmp: "} {
		reason = strings.TrimPrefix(reason, prefix)
	}
	if what, ok := strings.CutPrefix(reason, "unsupported feature: "); ok {
		return fmt.Errorf("a %s picture of a kind that is not read: %s", f.Name, what)
	}
	return fmt.Errorf("not a valid %s picture: %s", f.Name, reason)
}

// ReadBytes is Read for a picture in memory.
func ReadBytes(data []byte) (image.Image, error) { return Read(bytes.NewReader(data)) }
