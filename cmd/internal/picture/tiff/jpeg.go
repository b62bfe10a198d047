package tiff

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"io"

	"github.com/coclico/coclico/cmd/internal/picture/jpeg"
)

// decodeJPEG decodes a block that is a JPEG, whose tables may stand in a tag.
func (d *decoder) decodeJPEG(c *canvas, b block, section *io.SectionReader) error {
	// More than any coding of so many samples takes.
	data, err := io.ReadAll(io.LimitReader(section, 1<<16+4*int64(b.samples)*int64(b.width)*int64(d.blockHeight)))
	if err != nil {
		return err
	}
	d.left -= int64(len(d.tables))
	if len(data) < 2 {
		return io.ErrUnexpectedEOF
	}
	// The tables are a file without pixels; an Adobe segment says what the
	// samples are.
	transform := byte(0)
	switch d.photometric {
	case ycbcr:
		transform = 1
	case rgb:
		data = withoutJFIF(data)
	}
	file := append([]byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"), transform)
	if len(d.tables) >= 4 {
		file = append(file, d.tables[2:len(d.tables)-2]...)
	}
	file = append(file, data[2:]...)
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return err
	}
	if cfg.Width < min(b.width, d.width-b.x) || cfg.Height < min(b.height, d.height-b.y) || cfg.Width > b.width || cfg.Height > d.blockHeight {
		return FormatError("JPEG of another size than its strip or tile")
	}
	img, fault, err := d.budget.Decode(bytes.NewReader(file))
	switch {
	case err != nil:
		return err
	case fault != "" && fault != jpeg.NoEnd:
		return io.ErrUnexpectedEOF
	}
	b.width = cfg.Width
	samples := make([]uint16, b.width*b.samples)
	for y := range min(b.height, d.height-b.y) {
		if !jpegRow(samples, img, y, b.samples) {
			return FormatError("JPEG of another number of samples")
		}
		c.put(samples, b, b.y+y)
	}
	return nil
}

// jpegRow takes the samples of a row, n for each pixel.
func jpegRow(samples []uint16, img image.Image, y, n int) bool {
	switch img := img.(type) {
	case *image.Gray:
		if n != 1 {
			return false
		}
		for x := range samples {
			samples[x] = uint16(img.Pix[y*img.Stride+x])
		}
		return true
	case *image.CMYK: // inverted, as Adobe's JPEG files are
		if n != 4 {
			return false
		}
		for i := range samples {
			samples[i] = 255 - uint16(img.Pix[y*img.Stride+i])
		}
		return true
	case *image.RGBA:
		if n != 3 {
			return false
		}
		for x := range len(samples) / 3 {
			for i := range 3 {
				samples[3*x+i] = uint16(img.Pix[y*img.Stride+4*x+i])
			}
		}
		return true
	case *image.YCbCr:
		if n != 3 {
			return false
		}
		for x := range len(samples) / 3 {
			c := img.COffset(x, y)
			r, g, b := color.YCbCrToRGB(img.Y[y*img.YStride+x], img.Cb[c], img.Cr[c])
			samples[3*x], samples[3*x+1], samples[3*x+2] = uint16(r), uint16(g), uint16(b)
		}
		return true
	}
	return false
}

// withoutJFIF returns a JPEG of red, green and blue, which takes data's place, if
// data is one except for a JFIF segment at its start: to a decoder that segment
// makes luma and chroma of any three samples. Where nothing else in the JPEG calls
// them red, green and blue, JFIF is right and the TIFF's tag is wrong.
func withoutJFIF(data []byte) []byte {
	const head = 2 + 2 + 2 // start of image, marker, length
	if len(data) < head || string(data[2:4]) != "\xff\xe0" || !bytes.HasPrefix(data[head:], []byte("JFIF\x00")) {
		return data
	}
	end := 4 + int(binary.BigEndian.Uint16(data[4:]))
	if end < head || end > len(data) {
		return data
	}
	start := data[:2]
	if !jpeg.IsRGB(io.MultiReader(bytes.NewReader(start), bytes.NewReader(data[end:]))) {
		return data
	}
	data = data[end-2:]
	copy(data, start)
	return data
}
