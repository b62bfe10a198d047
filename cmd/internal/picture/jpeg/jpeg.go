// Package jpeg decodes JPEG files with image/jpeg, and beyond it
//
//   - files that are cut short or damaged: what is missing of the pixels is gray,
//     and what is missing of a progressive file are details,
//   - files whose planes have sizes that image/jpeg does not combine, 2:3 for
//     example,
//   - files with a scan in which image/jpeg miscounts the blocks,
//   - files whose planes have one name, in one scan,
//   - files whose height follows the first scan,
//   - CMYK files without Adobe's segment.
//
// All but the last are decoded here, plane by plane (see planes).
package jpeg

import (
	"errors"
	"image"
	"image/jpeg"
	"io"
	"slices"
	"strings"
)

// A FormatError reports that the input is not a valid JPEG.
type FormatError string

func (e FormatError) Error() string { return "jpeg: " + string(e) }

// An UnsupportedError reports a valid feature that is not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "jpeg: unsupported feature: " + string(e) }

// DecodeConfig returns the dimensions and the color model.
func DecodeConfig(r io.Reader) (image.Config, error) {
	h, err := readHeader(r)
	if err != nil {
		return image.Config{}, err
	}
	return image.Config{ColorModel: h.model(), Width: h.width, Height: h.height}, nil
}

// IsRGB reports whether a file has red, green and blue for planes.
func IsRGB(r io.Reader) bool {
	h, err := readHeader(r)
	return err == nil && len(h.components) == 3 && h.rgb()
}

// NoEnd is the fault of a file that is complete except for its end.
const NoEnd = "its end marker is missing"

// noDetails is the fault of a progressive file that lacks scans, or parts of them.
const noDetails = "it is cut short or damaged, its finer details are missing"

// Decode decodes a picture. With a picture it may return what is wrong with the
// file nevertheless, as a phrase.
func Decode(r io.ReadSeeker) (img image.Image, fault string, err error) {
	return NewBudget().Decode(r)
}

// Decode is the function Decode for one of the files of a picture.
func (left *Budget) Decode(r io.ReadSeeker) (img image.Image, fault string, err error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, "", err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	scans, err := h.readScans(r, left)
	if err != nil {
		return nil, "", err
	}
	if h.progressive || h.apart {
		if err := h.check(scans); err != nil {
			return nil, "", err
		}
	}
	var cause error
	if !scans.miscounted && !h.late {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, "", err
		}
		img, complete, err := h.decode(r)
		switch {
		case err == nil:
			return img, h.endFault(scans, complete), nil
		case errors.Is(err, errRatio): // image/jpeg saw no more than the header
		case complete:
			cause = err
		default:
			cause = io.ErrUnexpectedEOF
		}
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	most := maxHead + 8*int64(len(h.components))*int64(h.width)*int64(h.height)
	return h.planes(io.LimitReader(r, most), scans, cause)
}

// endFault is the fault of a file whose scans are whole and which may have its end
// marker.
func (h *header) endFault(scans *scanList, ended bool) string {
	switch {
	case ended:
		return ""
	case (h.progressive || h.apart) && !scans.whole():
		return noDetails
	}
	return NoEnd
}

// check refuses files that lack planes, and those in which names do not say which
// plane is meant.
func (h *header) check(scans *scanList) error {
	if h.sharedName() {
		return UnsupportedError("planes of one name in several scans")
	}
	return scans.missing()
}

// sharedName reports whether two planes have one name.
func (h *header) sharedName() bool {
	for i, c := range h.components {
		if h.named(c.id) < i {
			return true
		}
	}
	return false
}

// named returns the index of the first plane of a name, or -1.
func (h *header) named(id byte) int {
	return slices.IndexFunc(h.components, func(c component) bool { return c.id == id })
}

// maxHead is what planes reads beside 8 bytes a sample: metadata. A longer file is
// cut there.
const maxHead = 16 << 20

// errRatio is what image/jpeg says about planes that it does not combine.
var errRatio = jpeg.UnsupportedError("luma/chroma subsampling ratio")

// decode decodes a file that image/jpeg takes. Complete is whether it has its end
// marker.
func (h *header) decode(r io.Reader) (img image.Image, complete bool, err error) {
	end := &tail{b: []byte{0xff, eoi}}
	if len(h.components) == 4 && !h.adobe {
		if _, err := io.ReadFull(r, make([]byte, 2)); err != nil {
			return nil, false, err
		}
		r = io.MultiReader(strings.NewReader("\xff\xd8"+adobeSegment), r)
	}
	img, err = jpeg.Decode(io.MultiReader(r, end))
	if h.progressive || err != nil {
		h.collect()
	}
	return img, !end.used, err
}

// adobeSegment says that four planes are ink, 0 for all of it. Files without it
// mean the same.
const adobeSegment = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"

// A tail is the end of a file that may lack it.
type tail struct {
	b    []byte
	used bool
}

func (t *tail) Read(p []byte) (int, error) {
	t.used = true
	if len(t.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, t.b)
	t.b = t.b[n:]
	return n, nil
}
