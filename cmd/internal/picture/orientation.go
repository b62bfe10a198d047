package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
)

// A camera writes a picture as its sensor lies, and beside it, in EXIF's tag 274,
// how it was held (CIPA DC-008, 4.6.4). Every viewer turns the picture by it, so
// what is encoded is the turned one. EXIF data is a TIFF structure, and in a TIFF
// file the tag is the file's own. HEIC and AVIF have transforms of their own
// instead, and their EXIF is not asked (ISO/IEC 23000-22, 7.2.3).
//
// github.com/bep/imagemeta v1.0.1 reads EXIF from all of these too, and is not
// used: it finds none in a JPEG with fill bytes between segments, in a WebP whose
// profile has an odd length, and in one whose EXIF begins with JPEG's signature,
// it gives up at a tag of unknown type, and it knows nothing of a HEIC's or AVIF's
// mirroring. The files have to be walked for their profiles anyway; what it would
// replace is readDirectory.

// orientationTag is 1 for a picture that is upright to 8.
const orientationTag = 274

// exifOrientation returns the orientation that EXIF data holds, 1 for none.
func exifOrientation(data []byte) int {
	orientation := 1
	_ = readDirectory(bytes.NewReader(data), func(e entry) bool {
		if e.tag != orientationTag {
			return true
		}
		orientation = e.orientation()
		return false
	})
	return orientation
}

// An entry is one of a TIFF directory (TIFF 6.0, section 2).
type entry struct {
	tag, kind uint16
	count     uint32
	value     [4]byte // or where it is, if it is longer
	order     binary.ByteOrder
}

// orientation returns the value of the tag, and 1 for a bad one. The type should
// be SHORT; some programs write LONG or BYTE.
func (e entry) orientation() int {
	const byteKind, short, long = 1, 3, 4
	v := 0
	switch e.kind {
	case byteKind:
		v = int(e.value[0])
	case short:
		v = int(e.order.Uint16(e.value[:]))
	case long:
		v = int(int32(e.order.Uint32(e.value[:])))
	}
	if v < 1 || v > 8 {
		return 1
	}
	return v
}

var errDirectory = errors.New("no TIFF directory")

// readDirectory visits the entries of the first directory of a TIFF structure
// while visit wants more.
func readDirectory(r io.ReadSeeker, visit func(entry) bool) error {
	var head [8]byte
	if err := readAt(r, 0, head[:]); err != nil {
		return err
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(head[:4]) {
	case "II\x2a\x00":
	case "MM\x00\x2a":
		order = binary.BigEndian
	default:
		return errDirectory
	}
	at := int64(order.Uint32(head[4:]))
	if err := readAt(r, at, head[:2]); err != nil {
		return err
	}
	list, err := io.ReadAll(io.LimitReader(r, 12*int64(order.Uint16(head[:]))))
	for ; len(list) >= 12; list = list[12:] {
		e := entry{tag: order.Uint16(list), kind: order.Uint16(list[2:]), count: order.Uint32(list[4:]), value: [4]byte(list[8:]), order: order}
		if !visit(e) {
			return nil
		}
	}
	return err
}

// turned is a picture with another orientation than 1.
type turned struct {
	image.Image
	orientation int
}

// Bounds begins at (0, 0). From orientation 5 on, rows are columns.
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
	case 2, 8: // mirrored; a quarter turn counterclockwise
		x = right
	case 3, 7: // upside down; mirrored and a quarter turn counterclockwise
		x, y = right, bottom
	case 4, 6: // mirrored and upside down; a quarter turn clockwise
		y = bottom
	}
	return t.Image.At(x, y)
}
