// Package jpeg decodes JPEG files with image/jpeg, and beyond it
//
//   - files that are cut short: what is missing of the pixels is gray,
//   - files whose planes have sizes that image/jpeg does not combine, 2:3 for
//     example,
//   - files whose planes have one name, in one scan,
//   - CMYK files without Adobe's segment.
//
// The first three are decoded here, as long as they are not progressive, plane by
// plane (see planes). A progressive file that is cut short is decoded without the
// scan that is not whole.
package jpeg

import (
	"errors"
	"fmt"
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

// noDetails is the fault of a progressive file that lacks scans.
const noDetails = "it is cut short, its finer details are missing"

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
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	img, complete, err := h.decode(r)
	switch {
	case err == nil && complete:
		return img, "", nil
	case err == nil && (h.progressive || h.apart) && !scans.whole():
		return img, noDetails, nil
	case err == nil:
		return img, NoEnd, nil
	}
	odd := errors.Is(err, errRatio)
	switch {
	case odd && !h.progressive: // image/jpeg saw no more than the header
		err = nil
	case !complete:
		err = io.ErrUnexpectedEOF
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	switch {
	case !h.progressive:
		most := maxHead + 8*int64(len(h.components))*int64(h.width)*int64(h.height)
		return h.planes(io.LimitReader(r, most), err)
	case odd:
		return nil, "", UnsupportedError("progressive coding with planes of odd sizes")
	}
	if img := h.before(r, scans.last); img != nil {
		return img, noDetails, nil
	}
	return nil, "", err
}

// check refuses what image/jpeg would read wrongly.
func (h *header) check(scans *scanList) error {
	if h.sharedName() {
		return UnsupportedError("planes of one name in several scans")
	}
	if err := scans.missing(); err != nil {
		return err
	}
	if h.progressive && scans.miscounted {
		return UnsupportedError("progressive coding with restart markers in planes of several sizes")
	}
	return nil
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

// before decodes a progressive file up to its last scan, which begins at byte last,
// and returns nil if a plane has only that one.
func (h *header) before(r io.ReadSeeker, last int64) image.Image {
	scans, err := h.readScans(io.LimitReader(r, last), NewBudget()) // as a part of what was counted
	if err != nil || scans.missing() != nil {
		return nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil
	}
	img, _, err := h.decode(io.LimitReader(r, last))
	if err != nil {
		return nil
	}
	return img
}

// cutShort is the fault of a file that lacks rows.
func cutShort(missing, of int) string {
	if missing == 0 {
		return "it is cut short or damaged"
	}
	return fmt.Sprintf("it is cut short or damaged, its last %d rows of %d are gray", missing, of)
}
