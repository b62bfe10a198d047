// Package bmp decodes Windows and OS/2 bitmaps: 1 to 8 bits with a palette, 16
// bits, 24 and 32, with any masks, runs of 4 and of 8 bits, rows from the bottom
// or from the top.
//
// golang.org/x/image/bmp lacks 16 bits, masks, runs and OS/2.
package bmp

import (
	"encoding/binary"
	"image"
	"image/color"
	"io"
)

// A FormatError reports that the input is not a valid BMP.
type FormatError string

func (e FormatError) Error() string { return "bmp: " + string(e) }

// An UnsupportedError reports a valid feature that is not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "bmp: unsupported feature: " + string(e) }

// Sizes of headers.
const (
	fileHeader   = 14 // of the file; then follows the picture's
	coreHeader   = 12 // OS/2 1.x
	infoHeader   = 40 // Windows 3
	os2Header    = 64 // OS/2 2.x, which may be cut short, to 16 at least
	masksHeader  = 52 // with red, green and blue masks
	alphaHeader  = 56 // and one for alpha
	windows4     = 108
	windows5     = 124
	masksInFile  = fileHeader + infoHeader // where the masks stand, in the header or behind it
	maxPaletteOf = 256
)

// Compressions.
const (
	plain       = 0
	runs8       = 1
	runs4       = 2
	masked      = 3
	maskedAlpha = 6
)

// A decoder is the header of a file and what is left of it.
type decoder struct {
	r             io.Reader
	width, height int
	topDown       bool
	bits          int
	compression   uint32
	palette       color.Palette // 2^bits colors, nil for more than 8 bits
	masks         [4]uint32     // red, green, blue and alpha
}

// DecodeConfig returns the dimensions and the color model.
func DecodeConfig(r io.Reader) (image.Config, error) {
	d, err := newDecoder(r)
	if err != nil {
		return image.Config{}, err
	}
	c := image.Config{ColorModel: color.NRGBAModel, Width: d.width, Height: d.height}
	if d.palette != nil {
		c.ColorModel = d.palette
	}
	return c, nil
}

// Decode decodes a picture: an [image.Paletted] or an [image.NRGBA].
func Decode(r io.Reader) (image.Image, error) {
	d, err := newDecoder(r)
	switch {
	case err != nil:
		return nil, err
	case d.compression == runs8 || d.compression == runs4:
		return d.decodeRuns()
	case d.palette != nil:
		return d.decodePaletted()
	}
	return d.decodeColors()
}

// Profile returns the place and length of a file's color profile, 0 for none, and
// whether the file names a profile that is not inside it.
func Profile(r io.Reader) (at, length int64, linked bool) {
	head := make([]byte, fileHeader+windows5)
	order := binary.LittleEndian
	if _, err := io.ReadFull(r, head); err != nil || order.Uint32(head[fileHeader:]) != windows5 {
		return 0, 0, false
	}
	switch string(head[70:74]) { // PROFILE_EMBEDDED is 'MBED', PROFILE_LINKED 'LINK'
	case "DEBM":
		return fileHeader + int64(order.Uint32(head[126:])), int64(order.Uint32(head[130:])), false
	case "KNIL":
		return 0, 0, true
	}
	return 0, 0, false
}

func newDecoder(r io.Reader) (*decoder, error) {
	d := &decoder{r: r}
	head := make([]byte, fileHeader+windows5)
	if err := d.fill(head[:fileHeader+4]); err != nil {
		return nil, err
	}
	if string(head[:2]) != "BM" {
		return nil, FormatError("no signature")
	}
	order := binary.LittleEndian
	size := order.Uint32(head[fileHeader:])
	switch size {
	case coreHeader, infoHeader, masksHeader, alphaHeader, windows4, windows5:
	default:
		if size < 16 || size > os2Header {
			return nil, UnsupportedError("header of another version")
		}
	}
	end := fileHeader + int(size)
	if err := d.fill(head[fileHeader+4 : end]); err != nil {
		return nil, err
	}
	var colors uint32
	if size == coreHeader {
		d.width, d.height = int(order.Uint16(head[18:])), int(order.Uint16(head[20:]))
		d.bits = int(order.Uint16(head[24:]))
	} else {
		w, h := int64(int32(order.Uint32(head[18:]))), int64(int32(order.Uint32(head[22:])))
		if h < 0 {
			h, d.topDown = -h, true
		}
		if w < 0 || h > 1<<31-1 {
			return nil, FormatError("invalid size")
		}
		d.width, d.height = int(w), int(h)
		d.bits = int(order.Uint16(head[28:]))
		d.compression = order.Uint32(head[30:]) // 0 where the header is shorter
		colors = order.Uint32(head[46:])
	}
	if d.width == 0 || d.height == 0 {
		return nil, FormatError("no pixels")
	}
	at := end
	if err := d.readMasks(head, int(size), &at); err != nil {
		return nil, err
	}
	if err := d.check(size); err != nil {
		return nil, err
	}
	pixels := int64(order.Uint32(head[10:]))
	if d.bits <= 8 {
		if err := d.readPalette(size == coreHeader, colors, pixels, &at); err != nil {
			return nil, err
		}
	}
	if pixels > int64(at) {
		if _, err := io.CopyN(io.Discard, d.r, pixels-int64(at)); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
	return d, nil
}

// fill reads b. A file that ends before is cut short.
func (d *decoder) fill(b []byte) error {
	if _, err := io.ReadFull(d.r, b); err == io.EOF {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	return nil
}

// check refuses what is not decoded.
func (d *decoder) check(header uint32) error {
	valid := false
	switch d.compression {
	case plain:
		switch d.bits {
		case 1, 2, 4, 8, 16, 24, 32:
			valid = true
		}
	case runs8:
		valid = d.bits == 8
	case runs4:
		valid = d.bits == 4
	case masked, maskedAlpha:
		valid = d.bits == 16 || d.bits == 32
		if header < infoHeader || header > infoHeader && header == os2Header {
			return UnsupportedError("fax compression")
		}
	case 4:
		return UnsupportedError("a JPEG, or runs of 24 bits, inside")
	case 5:
		return UnsupportedError("a PNG inside")
	default:
		return UnsupportedError("compression")
	}
	if !valid {
		return FormatError("invalid number of bits for its compression")
	}
	return nil
}

// readMasks sets the masks, which follow a header that is too short to hold them;
// at is where the reader is.
func (d *decoder) readMasks(head []byte, size int, at *int) error {
	switch {
	case d.bits == 16:
		d.masks = [4]uint32{0x7c00, 0x3e0, 0x1f}
	case size > infoHeader && size != os2Header:
		d.masks = [4]uint32{0xff0000, 0xff00, 0xff, 0xff000000}
	default: // what a header of 40 bytes leaves in the fourth byte is not alpha
		d.masks = [4]uint32{0xff0000, 0xff00, 0xff}
	}
	if d.compression != masked && d.compression != maskedAlpha {
		return nil
	}
	n := 3
	if d.compression == maskedAlpha || size >= alphaHeader {
		n = 4
	}
	if have := (size - infoHeader) / 4; have < n {
		end := masksInFile + 4*n
		if err := d.fill(head[*at:end]); err != nil {
			return err
		}
		*at = end
	}
	d.masks = [4]uint32{}
	for i := range n {
		d.masks[i] = binary.LittleEndian.Uint32(head[masksInFile+4*i:])
	}
	return nil
}

// readPalette reads the palette, which ends at the pixels at the latest. What it
// lacks is black.
func (d *decoder) readPalette(core bool, colors uint32, pixels int64, at *int) error {
	size := 4
	if core {
		size = 3
	}
	n := 1 << d.bits
	d.palette = make(color.Palette, n)
	if colors > 0 && colors < uint32(n) {
		n = int(colors)
	}
	if pixels > int64(*at) {
		n = int(min(int64(n), (pixels-int64(*at))/int64(size)))
	}
	var b [4 * maxPaletteOf]byte
	if err := d.fill(b[:n*size]); err != nil {
		return err
	}
	*at += n * size
	for i := range d.palette {
		c := color.RGBA{A: 0xff}
		if i < n {
			c.B, c.G, c.R = b[i*size], b[i*size+1], b[i*size+2]
		}
		d.palette[i] = c
	}
	return nil
}

// rows calls a function with the bytes of every row and its number.
func (d *decoder) rows(do func(y int, row []byte)) error {
	row := make([]byte, (int64(d.width)*int64(d.bits)+31)/32*4)
	for i := range d.height {
		if err := d.fill(row); err != nil {
			return err
		}
		do(d.row(i), row)
	}
	return nil
}

// row is where the i-th row of the file stands in the picture.
func (d *decoder) row(i int) int {
	if d.topDown {
		return i
	}
	return d.height - 1 - i
}

func (d *decoder) decodePaletted() (image.Image, error) {
	img := image.NewPaletted(image.Rect(0, 0, d.width, d.height), d.palette)
	mask := byte(1<<d.bits - 1)
	err := d.rows(func(y int, row []byte) {
		pix := img.Pix[y*img.Stride:][:d.width]
		for x := range pix {
			bit := x * d.bits
			pix[x] = row[bit/8] >> (8 - d.bits - bit%8) & mask
		}
	})
	return img, err
}

// decodeColors decodes 16, 24 and 32 bits. A picture whose alpha is 0 everywhere
// was written by a program that leaves it out, and is opaque.
func (d *decoder) decodeColors() (image.Image, error) {
	img := image.NewNRGBA(image.Rect(0, 0, d.width, d.height))
	var channels [4]channel
	for i, m := range d.masks {
		channels[i] = newChannel(m)
	}
	var opacity uint8
	err := d.rows(func(y int, row []byte) {
		pix := img.Pix[y*img.Stride:][:4*d.width]
		for ; len(pix) > 0; pix = pix[4:] {
			var v uint32
			switch d.bits {
			case 16:
				v, row = uint32(binary.LittleEndian.Uint16(row)), row[2:]
			case 24:
				v, row = uint32(row[0])|uint32(row[1])<<8|uint32(row[2])<<16, row[3:]
			default:
				v, row = binary.LittleEndian.Uint32(row), row[4:]
			}
			for c := range channels {
				pix[c] = channels[c].value(v)
			}
			opacity |= pix[3]
		}
	})
	if opacity == 0 {
		for i := 3; i < len(img.Pix); i += 4 {
			img.Pix[i] = 0xff
		}
	}
	return img, err
}

// A channel is the bits of a mask.
type channel struct {
	mask  uint32
	shift int
	max   uint64
}

func newChannel(mask uint32) channel {
	c := channel{mask: mask}
	if mask != 0 {
		for mask>>c.shift&1 == 0 {
			c.shift++
		}
		c.max = uint64(mask >> c.shift)
	}
	return c
}

// value scales the bits to 8; without any it is 0.
func (c *channel) value(v uint32) uint8 {
	if c.max == 0 {
		return 0
	}
	return uint8((uint64(v&c.mask>>c.shift)*0xff + c.max/2) / c.max)
}
