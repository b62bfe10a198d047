package bmp

import (
	"bufio"
	"image"
	"io"
)

// decodeRuns decodes runs of 8 or of 4 bits: pairs of a count and a value, where a
// count of 0 makes the value an order. What is passed over has the first color.
func (d *decoder) decodeRuns() (image.Image, error) {
	const endOfRow, endOfPicture, move = 0, 1, 2 // more: so many values follow
	img := image.NewPaletted(image.Rect(0, 0, d.width, d.height), d.palette)
	r := bufio.NewReader(d.r)
	var err error
	next := func() byte {
		b, e := r.ReadByte()
		if e != nil && err == nil {
			err = e
		}
		return b
	}
	x, y := 0, 0
	put := func(v byte) {
		if x < d.width && y < d.height {
			img.Pix[d.row(y)*img.Stride+x] = v
			x++
		}
	}
	for y < d.height {
		count, value := int(next()), next()
		switch {
		case err != nil:
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return img, err
		case count > 0:
			for i := range count {
				put(d.value(value, i))
			}
		case value == endOfRow:
			x, y = 0, y+1
		case value == endOfPicture:
			return img, nil
		case value == move:
			x, y = x+int(next()), y+int(next())
		default:
			var v byte
			for i := range int(value) {
				if d.bits == 8 || i%2 == 0 {
					v = next()
				}
				put(d.value(v, i))
			}
			if bytes := (int(value)*d.bits + 7) / 8; bytes%2 == 1 {
				next()
			}
		}
	}
	return img, nil
}

// value is the i-th value of a run: of a byte of 4-bit values each in turn.
func (d *decoder) value(b byte, i int) byte {
	switch {
	case d.bits == 8:
		return b
	case i%2 == 0:
		return b >> 4
	}
	return b & 15
}
