package jpeg

import (
	"bufio"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"io"
)

// planes decodes a file by its planes. If more than half is missing, it returns the
// error of image/jpeg, cause, or if that is nil its own.
func (h *header) planes(r io.Reader, scans *scanList, cause error) (image.Image, string, error) {
	d := &decoder{header: *h, r: bufio.NewReader(r)}
	if err := d.run(); err != nil {
		return nil, "", cmp.Or(cause, err)
	}
	if !d.whole && (2*d.blocks < d.of || 2*d.rows < h.height) {
		return nil, "", cmp.Or(cause, io.ErrUnexpectedEOF)
	}
	var planes []*image.Gray
	for _, p := range d.planes {
		if h.progressive {
			p.paint()
		}
		planes = append(planes, p.gray)
	}
	if h.progressive {
		h.collect()
	}
	return h.combine(planes), d.fault(scans), nil
}

// fault is what is wrong with a file that was decoded.
func (d *decoder) fault(scans *scanList) string {
	switch missing := d.height - d.rows; {
	case d.whole:
		return d.endFault(scans, d.ended)
	case missing > 0:
		return fmt.Sprintf("it is cut short or damaged, its last %d rows of %d are gray", missing, d.height)
	case d.progressive:
		return noDetails
	}
	return "it is cut short or damaged"
}

// combine returns the picture of the planes, as header.model has it.
func (h *header) combine(planes []*image.Gray) image.Image {
	r := image.Rect(0, 0, h.width, h.height)
	switch h.model() {
	case color.GrayModel:
		return planes[0].SubImage(r)
	case color.YCbCrModel:
		return &image.YCbCr{
			Y: planes[0].Pix, Cb: planes[1].Pix, Cr: planes[2].Pix,
			YStride: planes[0].Stride, CStride: planes[1].Stride, SubsampleRatio: h.ratio(), Rect: r,
		}
	}
	pix := make([]uint8, 4*h.width*h.height)
	hMax, vMax := h.largest()
	var v [4]uint8
	v[3] = 255
	rest := pix
	for y := range h.height {
		for x := range h.width {
			for i, c := range h.components {
				v[i] = planes[i].Pix[y*c.v/vMax*planes[i].Stride+x*c.h/hMax]
			}
			h.convert(&v)
			copy(rest, v[:])
			rest = rest[4:]
		}
	}
	if len(planes) == 4 {
		return &image.CMYK{Pix: pix, Stride: 4 * h.width, Rect: r}
	}
	return &image.RGBA{Pix: pix, Stride: 4 * h.width, Rect: r}
}

// convert turns samples into red, green, blue and 255, or into ink. Adobe's ink
// is inverted.
func (h *header) convert(v *[4]uint8) {
	switch {
	case len(h.components) == 3 && !h.rgb():
		v[0], v[1], v[2] = color.YCbCrToRGB(v[0], v[1], v[2])
	case len(h.components) == 4 && h.transform == 0:
		v[0], v[1], v[2], v[3] = 255-v[0], 255-v[1], 255-v[2], 255-v[3]
	case len(h.components) == 4:
		v[0], v[1], v[2] = color.YCbCrToRGB(v[0], v[1], v[2])
		v[3] = 255 - v[3]
	}
}
