package picture

import (
	"errors"
	"fmt"
	"image"
	"io"
	"strings"

	"github.com/coclico/coclico/cmd/internal/picture/bmp"
	"github.com/coclico/coclico/cmd/internal/picture/jpeg"
	"github.com/coclico/coclico/cmd/internal/picture/tiff"
)

// A format is a kind of picture file that can be read.
type format struct {
	name   string
	magic  string                 // the first bytes; a question mark stands for any
	known  func(head []byte) bool // in place of magic
	config func(io.ReadSeeker) (image.Config, error)
	decode func(io.ReadSeeker) (image.Image, error)
}

// picture names a picture of the format.
func (f *format) picture() string {
	if f.name == "AVIF" {
		return "an AVIF picture"
	}
	return "a " + f.name + " picture"
}

// formats is the list of what is read. The standard library's registry is not
// used: it answers "unknown format" for a broken file that begins like a PNG.
func formats() []format {
	return []format{
		{name: "PNG", magic: pngSignature, config: pngConfig, decode: decodePNG},
		{name: "JPEG", magic: "\xff\xd8", config: once(jpeg.DecodeConfig), decode: decodeJPEG},
		gifFormat(),
		webpFormat(),
		{name: "TIFF", magic: "II\x2a\x00", config: tiff.DecodeConfig, decode: tiff.Decode},
		{name: "TIFF", magic: "MM\x00\x2a", config: tiff.DecodeConfig, decode: tiff.Decode},
		{name: "BMP", known: isBMP, config: once(bmp.DecodeConfig), decode: once(bmp.Decode)},
		heifFormat("HEIC"),
		heifFormat("AVIF"),
	}
}

// once makes a function for a format of one that does not seek.
func once[T any](read func(io.Reader) (T, error)) func(io.ReadSeeker) (T, error) {
	return func(r io.ReadSeeker) (T, error) { return read(r) }
}

// decodeJPEG returns a fault of the file as a warning.
func decodeJPEG(r io.ReadSeeker) (image.Image, error) {
	img, fault, err := jpeg.Decode(r)
	if err == nil && fault != "" {
		err = warning(fault)
	}
	return img, err
}

// Sniffed is the number of bytes at the start of a file that [Known] looks at.
const Sniffed = 512

// Head reads the start of a file for [Known]: Sniffed bytes, or all that it has.
func Head(r io.Reader) ([]byte, error) {
	head := make([]byte, Sniffed)
	n, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return head[:n], err
}

// Known reports whether a file that begins so is, or wants to be, a picture that
// can be read.
func Known(head []byte) bool { return find(head) != nil }

func find(head []byte) *format {
	for _, f := range formats() {
		if f.known != nil && f.known(head) || f.magic != "" && matches(f.magic, head) {
			return &f
		}
	}
	return nil
}

// isBMP reports whether a file begins as a BMP does: its two letters are also those
// of words.
func isBMP(head []byte) bool {
	reserved := matches("BM????\x00\x00\x00\x00", head)
	header := matches("BM????????????\x0c\x00\x00\x00", head) || matches("BM????????????(\x00\x00\x00", head)
	return reserved || header
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

// Names lists the formats that are read.
func Names() string {
	var names []string
	for _, f := range formats() {
		if len(names) == 0 || names[len(names)-1] != f.name {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, ", ")
}

// sniff finds the format and goes back to the start.
func sniff(r io.ReadSeeker) (*format, error) {
	head, err := Head(r)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, errors.New("is empty, a picture is needed")
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if f := find(head); f != nil {
		return f, nil
	}
	if k := findUnread(head); k != nil {
		return nil, fmt.Errorf("of a kind that is not read: %s; %s", k.name, k.advice)
	}
	return nil, errors.New("not a picture that can be read (" + Names() + ")")
}
