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
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
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

// Markers (ITU-T T.81, table B.1).
const (
	sof0  = 0xc0 // sequential; sof0 + 1 is, too
	sof2  = 0xc2 // progressive
	dht   = 0xc4
	jpg   = 0xc8 // reserved
	dac   = 0xcc
	sof15 = 0xcf
	rst0  = 0xd0
	rst7  = 0xd7
	soi   = 0xd8
	eoi   = 0xd9
	sos   = 0xda
	dqt   = 0xdb
	dnl   = 0xdc
	dri   = 0xdd
	app0  = 0xe0
	app14 = 0xee
	sof55 = 0xf7 // JPEG-LS
)

// A header is what a file says before its first scan.
type header struct {
	width, height int
	components    []component
	progressive   bool
	apart         bool // the first scan does not have all planes
	jfif, adobe   bool
	transform     byte // Adobe's: 0 for RGB or CMYK
}

// A component is a plane of a picture.
type component struct {
	id, quant byte
	h, v      int // samples for each of the smallest group of pixels
}

// readHeader reads a file up to its first scan. Like image/jpeg it passes over
// bytes that stand between the segments.
func readHeader(from io.Reader) (*header, error) {
	r := bufio.NewReader(from)
	h := &header{}
	if b, err := r.Peek(2); err != nil || b[0] != 0xff || b[1] != soi {
		return nil, FormatError("no start of image")
	}
	_, _ = r.Discard(2) // as peeked
	for {
		marker, n, err := NextSegment(r)
		switch {
		case err != nil:
			return nil, err
		case marker == sos && h.components == nil:
			return nil, FormatError("scan without a frame")
		case marker == sos:
			b, err := r.Peek(3) // its length, and how many planes it has
			h.apart = err != nil || int(b[2]) < len(h.components)
			return h, nil
		case marker == eoi:
			return nil, FormatError("no scan")
		}
		switch {
		case marker == sof55, marker >= sof0 && marker <= sof15 && marker != dht && marker != jpg && marker != dac, marker == app0, marker == app14:
			segment := make([]byte, n)
			if _, err := io.ReadFull(r, segment); err != nil {
				return nil, io.ErrUnexpectedEOF
			}
			if err := h.add(marker, segment); err != nil {
				return nil, err
			}
		default:
			if _, err := r.Discard(n); err != nil {
				return nil, io.ErrUnexpectedEOF
			}
		}
	}
}

// NextSegment finds a segment and reads its length, that of its data; the end of
// the image and the start of a scan have none. It passes over what image/jpeg does:
// stray bytes, fill bytes and restart markers.
func NextSegment(r *bufio.Reader) (marker byte, n int, err error) {
	marker, err = nextMarker(r)
	if err != nil || marker == eoi || marker == sos {
		return marker, 0, err
	}
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, 0, io.ErrUnexpectedEOF
	}
	if n = int(binary.BigEndian.Uint16(length[:])) - 2; n < 0 {
		return 0, 0, FormatError("short segment")
	}
	return marker, n, nil
}

// nextMarker finds a marker with a segment.
func nextMarker(r *bufio.Reader) (byte, error) {
	for {
		_, err := r.ReadSlice(0xff)
		if err == bufio.ErrBufferFull {
			continue
		}
		b := byte(0xff)
		for b == 0xff && err == nil { // fill bytes
			b, err = r.ReadByte()
		}
		switch {
		case err != nil:
			return 0, io.ErrUnexpectedEOF
		case b != 0 && (b < rst0 || b > rst7):
			return b, nil
		}
	}
}

// add takes a segment.
func (h *header) add(marker byte, b []byte) error {
	switch marker {
	case app0:
		h.jfif = bytes.HasPrefix(b, []byte("JFIF\x00"))
	case app14:
		if len(b) >= 12 && bytes.HasPrefix(b, []byte("Adobe")) {
			h.adobe, h.transform = true, b[11]
		}
	case sof0, sof0 + 1, sof2:
		h.progressive = marker == sof2
		return h.setFrame(b)
	case 0xc3:
		return UnsupportedError("lossless coding")
	case 0xc5, 0xc6, 0xc7:
		return UnsupportedError("hierarchical coding")
	case 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf:
		return UnsupportedError("arithmetic coding")
	case sof55:
		return UnsupportedError("JPEG-LS")
	}
	return nil
}

// setFrame takes a frame header (B.2.2).
func (h *header) setFrame(b []byte) error {
	switch {
	case h.components != nil:
		return FormatError("several frames")
	case len(b) < 6 || len(b) != 6+3*int(b[5]):
		return FormatError("invalid frame header")
	case b[0] != 8:
		return UnsupportedError(fmt.Sprintf("%d bits a channel", b[0]))
	}
	h.height, h.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if n := b[5]; n != 1 && n != 3 && n != 4 {
		return UnsupportedError(fmt.Sprintf("%d channels", n))
	}
	if h.height == 0 {
		return UnsupportedError("height that follows the pixels")
	}
	for b = b[6:]; len(b) > 0; b = b[3:] {
		c := component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), quant: b[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
			return FormatError("invalid frame header")
		}
		h.components = append(h.components, c)
	}
	if len(h.components) == 1 { // a group of pixels is a pixel
		h.components[0].h, h.components[0].v = 1, 1
	}
	return nil
}

// model is the color model of the decoded picture.
func (h *header) model() color.Model {
	switch {
	case len(h.components) == 1:
		return color.GrayModel
	case len(h.components) == 4:
		return color.CMYKModel
	case h.rgb() || h.ratio() < 0:
		return color.RGBAModel
	}
	return color.YCbCrModel
}

// rgb reports whether three planes are red, green and blue, by image/jpeg's rule.
func (h *header) rgb() bool {
	if h.jfif {
		return false
	}
	c := h.components
	return h.adobe && h.transform == 0 || c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
}

// ratio is the ratio of the planes in terms of package image, -1 if it has none.
func (h *header) ratio() image.YCbCrSubsampleRatio {
	c := h.components
	if len(c) < 3 || c[1].h != c[2].h || c[1].v != c[2].v || c[0].h%c[1].h != 0 || c[0].v%c[1].v != 0 {
		return -1
	}
	switch [2]int{c[0].h / c[1].h, c[0].v / c[1].v} {
	case [2]int{1, 1}:
		return image.YCbCrSubsampleRatio444
	case [2]int{1, 2}:
		return image.YCbCrSubsampleRatio440
	case [2]int{2, 1}:
		return image.YCbCrSubsampleRatio422
	case [2]int{2, 2}:
		return image.YCbCrSubsampleRatio420
	case [2]int{4, 1}:
		return image.YCbCrSubsampleRatio411
	case [2]int{4, 2}:
		return image.YCbCrSubsampleRatio410
	}
	return -1
}

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
