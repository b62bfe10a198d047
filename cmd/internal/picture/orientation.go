package picture

import (
	"image"
	"image/color"
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
// replace is tiff.Metadata.

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
