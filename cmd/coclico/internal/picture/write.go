package picture

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultQuality is the quality of JPEG files.
const DefaultQuality = 95

// Options are what a picture file is written with.
type Options struct {
	Quality int    // of JPEG, 1 to 100; 0 means DefaultQuality
	Notes   []Note // how the picture was generated: PNG's text chunks, JPEG's comment; with any, the file says that it was
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
	o.Quality = cmp.Or(o.Quality, DefaultQuality)
	extra := comment(o)
	if len(o.Notes) > 0 {
		extra = append(extra, segment(0xe1, xmpSegment+xmpPacket)...)
	}
	return jpeg.Encode(&inserter{w: w, at: 2, extra: extra}, img, &jpeg.Options{Quality: o.Quality})
}

// comment returns JPEG's comment segment: the notes, and the quality, of which the file says nothing else that is exact.
func comment(o Options) []byte {
	if len(o.Notes) == 0 {
		return nil
	}
	var text strings.Builder
	for _, n := range o.Notes {
		fmt.Fprintf(&text, "%s: %s\n", n.Key, n.Text)
	}
	fmt.Fprintf(&text, "Quality: %d\n", cmp.Or(o.Quality, DefaultQuality))
	if text.Len() > maxSegment {
		return nil
	}
	return segment(0xfe, text.String())
}

const maxSegment = 1<<16 - 3

// segment returns a JPEG segment of at most 65533 bytes.
func segment(marker byte, data string) []byte {
	n := len(data) + 2
	return append([]byte{0xff, marker, byte(n >> 8), byte(n)}, data...)
}

// Says reports whether a PNG or JPEG file was written with these notes, a JPEG also with this quality, and has its end. It
// leaves r at its start.
func Says(r io.ReadSeeker, o Options) bool {
	var head [2]byte
	_, err := io.ReadFull(r, head[:])
	same, end := false, "IEND\xaeB`\x82"
	if want := comment(o); err == nil && string(head[:]) == "\xff\xd8" {
		got := make([]byte, len(want))
		_, err = io.ReadFull(r, got)
		same, end = err == nil && bytes.Equal(got, want), "\xff\xd9"
	} else if _, err := r.Seek(0, io.SeekStart); err == nil {
		same = slices.Equal(readNotes(r), o.Notes)
	}
	same = same && endsWith(r, end)
	_, err = r.Seek(0, io.SeekStart)
	return same && err == nil
}

func endsWith(r io.ReadSeeker, end string) bool {
	got := make([]byte, len(end))
	if _, err := r.Seek(-int64(len(end)), io.SeekEnd); err != nil {
		return false
	}
	_, err := io.ReadFull(r, got)
	return err == nil && string(got) == end
}
