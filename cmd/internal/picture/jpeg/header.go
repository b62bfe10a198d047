package jpeg

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"
)

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
	late          bool // the height follows the first scan
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
			if h.late = h.height == 0; h.late {
				return h, h.findHeight(r)
			}
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

// findHeight passes over the first scan, from the length of its header on, and
// reads the height that follows it (B.2.5).
func (h *header) findHeight(r *bufio.Reader) error {
	const none = FormatError("picture without a height")
	length, err := r.Peek(2)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	_, _ = r.Discard(int(binary.BigEndian.Uint16(length))) // the end shows below
	marker, n, err := NextSegment(r)
	if err != nil {
		return err
	}
	if marker != dnl || n != 2 {
		return none
	}
	b, err := r.Peek(n)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	if h.height = int(binary.BigEndian.Uint16(b)); h.height == 0 {
		return none
	}
	return nil
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
	if h.width == 0 {
		return FormatError("picture without a width")
	}
	if n := b[5]; n != 1 && n != 3 && n != 4 {
		return UnsupportedError(fmt.Sprintf("%d channels", n))
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

// largest returns the sides of the smallest group of pixels.
func (h *header) largest() (hMax, vMax int) {
	for _, c := range h.components {
		hMax, vMax = max(hMax, c.h), max(vMax, c.v)
	}
	return hMax, vMax
}
