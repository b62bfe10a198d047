package tiff

import (
	"bytes"
	"io"

	"golang.org/x/image/ccitt"
)

// faxOptions make black 1, whatever that stands for: so libtiff has it.
var faxOptions = &ccitt.Options{Invert: true}

// A filledFax reads a Group 3 fax that has zeros before the code for the end of a
// row, so that this ends with a byte. Package ccitt expects none, except behind the
// last row: it gets every row as the only one.
type filledFax struct {
	r     io.ByteReader
	width int
	begun bool
	last  byte
	bits  int    // of last that are left
	row   []byte // what is left of a row
}

func (f *filledFax) Read(p []byte) (int, error) {
	if len(f.row) == 0 {
		if !f.begun { // a fax begins with the end of a row
			f.begun = true
			if _, err := f.code(); err != nil {
				return 0, err
			}
		}
		code, err := f.code()
		if err != nil {
			return 0, err
		}
		f.row = make([]byte, ceil(f.width, 8))
		r := ccitt.NewReader(bytes.NewReader(code), ccitt.MSB, ccitt.Group3, f.width, 1, faxOptions)
		if _, err := io.ReadFull(r, f.row); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.row)
	f.row = f.row[n:]
	return n, nil
}

// code returns the bits up to the next end of a row, behind such an end.
func (f *filledFax) code() ([]byte, error) {
	const endZeros = 11                   // and a one
	b, acc, n := []byte{0x00}, byte(1), 4 // 12 bits
	for zeros := 0; ; {
		bit, err := f.bit()
		switch {
		case err == io.EOF && len(b) > 1: // the last row's may be missing
			return append(b, acc<<(8-n)), nil
		case err != nil:
			return nil, err
		case bit == 1 && zeros >= endZeros:
			return append(b, acc<<(8-n)), nil
		case bit == 1:
			zeros = 0
		default:
			zeros++
		}
		acc, n = acc<<1|bit, n+1
		if n < 8 {
			continue
		}
		if b, acc, n = append(b, acc), 0, 0; len(b) > f.width+64 { // no code takes as much
			return nil, FormatError("fax with too long a row")
		}
	}
}

func (f *filledFax) bit() (byte, error) {
	if f.bits == 0 {
		var err error
		if f.last, err = f.r.ReadByte(); err != nil {
			return 0, err
		}
		f.bits = 8
	}
	f.bits--
	return f.last >> f.bits & 1, nil
}
