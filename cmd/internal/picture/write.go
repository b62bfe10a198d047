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

// Options configures an [Encoder].
type Options struct {
	// Quality is that of a JPEG, 1 to 100; 0 means DefaultQuality.
	Quality int
	// Notes say how the picture was generated, in PNG's text chunks, JPEG's
	// comment or WebP's XMP. With any, the file also says that it was.
	Notes []Note
	// Stream is the stream that a PNG holds, nil for none.
	Stream []byte
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
		return func(w io.Writer, img image.Image, o Options) error { return encodeWebP(w, img, o.Notes) }, nil
	default:
		return nil, fmt.Errorf("%s: pictures are written as .png, .jpg or .webp, not %s", path, ext)
	}
}

// IsJPEG reports whether EncoderFor writes that file as a JPEG.
func IsJPEG(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".jpg" || ext == ".jpeg"
}

// IsPNG reports whether EncoderFor writes that file as a PNG, the only kind that
// can hold a stream.
func IsPNG(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".png" || ext == ""
}

// encodeJPEG writes a JPEG with its notes as a comment after the start of the
// image.
func encodeJPEG(w io.Writer, img image.Image, o Options) error {
	o.Quality = cmp.Or(o.Quality, DefaultQuality)
	extra := comment(o)
	if len(o.Notes) > 0 {
		extra = append(extra, segment(0xe1, xmpSegment+xmpPacket)...)
	}
	return jpeg.Encode(&inserter{w: w, at: 2, extra: extra}, img, &jpeg.Options{Quality: o.Quality})
}

// comment returns JPEG's comment segment: the notes, and the quality, about which
// the rest of the file is not exact.
func comment(o Options) []byte {
	if len(o.Notes) == 0 {
		return nil
	}
	text := lines(o.Notes) + fmt.Sprintf("Quality: %d\n", cmp.Or(o.Quality, DefaultQuality))
	if len(text) > maxSegment {
		return nil
	}
	return segment(0xfe, text)
}

// lines returns the notes, a line each.
func lines(notes []Note) string {
	var text strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&text, "%s: %s\n", n.Key, n.Text)
	}
	return text.String()
}

const maxSegment = 1<<16 - 3

// segment returns a JPEG segment of at most 65533 bytes.
func segment(marker byte, data string) []byte {
	n := len(data) + 2
	return append([]byte{0xff, marker, byte(n >> 8), byte(n)}, data...)
}

// Says reports whether a PNG, JPEG or WebP file is complete and was written with
// these notes, a JPEG also with this quality. It leaves r at its start.
func Says(r io.ReadSeeker, o Options) bool {
	var head [4]byte
	_, err := io.ReadFull(r, head[:])
	same := err == nil
	switch {
	case !same:
	case string(head[:]) == "RIFF":
		same = readWebPXMP(r) == xmpWithNotes(o.Notes)
	case string(head[:2]) == "\xff\xd8":
		want := comment(o)
		got := make([]byte, len(want))
		same = readAt(r, 2, got) == nil && bytes.Equal(got, want) && endsWith(r, "\xff\xd9")
	default:
		_, err := r.Seek(0, io.SeekStart)
		same = err == nil && slices.Equal(readNotes(r), o.Notes) && endsWith(r, "IEND\xaeB`\x82")
	}
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
