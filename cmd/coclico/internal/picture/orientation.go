package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"io"
)

// A camera writes a JPEG as its sensor lies, and beside it, in EXIF's tag 274, how it was held (CIPA DC-008, 4.6.4). Every
// viewer turns the picture by it, so what is encoded is the turned one.

// jpegHeader returns the value of that tag, 1 to 8, of a JPEG file; 1, which is upright, if there is none; and whether the
// file is progressive.
func jpegHeader(r io.Reader) (held int, progressive bool) {
	held = 1
	b := bufio.NewReader(r)
	if _, err := b.Discard(2); err != nil { // start of image
		return held, false
	}
	for {
		marker, err := nextMarker(b)
		if err != nil || marker == 0xd9 || marker == 0xda {
			return held, false // end of image, start of scan: what is looked for is before
		}
		var length [2]byte // of the segment, from here on
		if _, err := io.ReadFull(b, length[:]); err != nil {
			return held, false
		}
		n := int(binary.BigEndian.Uint16(length[:])) - 2
		switch {
		case n < 0:
			return held, false
		case marker == 0xc0, marker == 0xc1, marker == 0xc2: // start of frame, for which EXIF does not wait
			return held, marker == 0xc2
		case marker != 0xe1: // APP1
			if _, err := b.Discard(n); err != nil {
				return held, false
			}
			continue
		}
		segment := make([]byte, n)
		if _, err := io.ReadFull(b, segment); err != nil {
			return held, false
		}
		if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && held == 1 {
			held = tiffOrientation(exif)
		}
	}
}

// nextMarker finds a segment. It passes over what image/jpeg does - stray bytes, fill bytes, restart markers - because a frame
// header that only one of the two finds would take more memory than was announced.
func nextMarker(b *bufio.Reader) (marker byte, err error) {
	for {
		if _, err := b.ReadSlice(0xff); err == bufio.ErrBufferFull {
			continue
		} else if err != nil {
			return 0, err
		}
		if marker, err = b.ReadByte(); marker == 0 && err == nil {
			continue
		}
		for marker == 0xff && err == nil {
			marker, err = b.ReadByte()
		}
		if restart := marker >= 0xd0 && marker <= 0xd7; !restart || err != nil {
			return marker, err
		}
	}
}

// tiffOrientation looks in the first directory of a TIFF structure, which is what EXIF data is.
func tiffOrientation(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case len(b) < 8:
		return 1
	case string(b[:4]) == "MM\x00\x2a":
		order = binary.BigEndian
	case string(b[:4]) != "II\x2a\x00":
		return 1
	}
	at := order.Uint32(b[4:])
	if uint64(at)+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 1
		}
		const tag, short = 274, 3
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// turned is a picture of w x h pixels with another orientation than 1.
type turned struct {
	image.Image
	orientation int
}

// Bounds begin at 0, 0; from orientation 5 on, rows are columns.
func (t turned) Bounds() image.Rectangle {
	size := t.Image.Bounds().Size()
	if t.orientation >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	return image.Rectangle{Max: size}
}

func (t turned) At(x, y int) color.Color {
	b := t.Image.Bounds()
	if t.orientation >= 5 {
		x, y = y, x
	}
	right, bottom := b.Max.X-1-x, b.Max.Y-1-y
	x, y = x+b.Min.X, y+b.Min.Y
	switch t.orientation {
	case 2, 8: // mirrored; a quarter turn anticlockwise
		x = right
	case 3, 7: // upside down; mirrored and a quarter turn anticlockwise
		x, y = right, bottom
	case 4, 6: // mirrored and upside down; a quarter turn clockwise
		y = bottom
	}
	return t.Image.At(x, y)
}
