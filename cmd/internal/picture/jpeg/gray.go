package jpeg

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/bits"
)

// A writer writes a plane as a gray JPEG.
type writer struct {
	buf    bytes.Buffer
	acc    uint32
	n      int // bits in acc
	pred   int32
	blocks int
}

// The writer's Huffman codes: 5 bits for each of the 16 sizes of a difference; 2
// bits for the end of a block, and 9 for each of the 241 other runs and sizes.
const (
	dcBits, acBits, endBits = 5, 9, 2
	firstAC                 = 1 << (acBits - endBits) // the codes after that of the end of a block
)

func newWriter(p *plane) *writer {
	w := &writer{}
	segment := func(marker byte, data ...byte) {
		n := len(data) + 2
		w.buf.Write([]byte{0xff, marker, byte(n >> 8), byte(n)})
		w.buf.Write(data)
	}
	w.buf.Write([]byte{0xff, soi})
	segment(dqt, append([]byte{p.quantTable[0] & 0xf0}, p.quantTable[1:]...)...)
	segment(sof0+1, 8, byte(p.height>>8), byte(p.height), byte(p.width>>8), byte(p.width), 1, 1, 0x11, 0)
	table := make([]byte, 1+16+16)
	table[dcBits] = 16
	for i := range 16 {
		table[17+i] = byte(i)
	}
	segment(dht, table...)
	table = make([]byte, 1+16, 1+16+242)
	table[0], table[endBits], table[acBits] = 0x10, 1, 241
	table = append(table, 0)
	for s := range 256 {
		if acIndex(byte(s)) >= 0 {
			table = append(table, byte(s))
		}
	}
	segment(dht, table...)
	segment(sos, 1, 1, 0, 0, 63, 0)
	return w
}

// acIndex numbers the runs and sizes: all with a size, and the run of 16 zeros.
func acIndex(s byte) int {
	run, size := int(s>>4), int(s&15)
	switch {
	case size > 0:
		return run*15 + size - 1
	case run == 15:
		return 15 * 15
	}
	return -1
}

func (w *writer) bits(v uint32, n int) {
	for n > 0 {
		take := min(n, 8)
		n -= take
		w.acc, w.n = w.acc<<take|v>>n&(1<<take-1), w.n+take
		for w.n >= 8 {
			w.n -= 8
			b := byte(w.acc >> w.n)
			w.buf.WriteByte(b)
			if b == 0xff {
				w.buf.WriteByte(0)
			}
		}
	}
}

// value writes the size bits of a coefficient.
func (w *writer) value(v int32, size int) {
	if v < 0 {
		v += 1<<size - 1
	}
	w.bits(uint32(v), size)
}

func size(v int32) int { return bits.Len32(uint32(max(v, -v))) }

// block writes a block. What a valid file has fits in the sizes: values are
// clamped to 15 bits.
func (w *writer) block(b *block) {
	w.blocks++
	const most = 1<<15 - 1
	dc := min(max(b[0], -most/2), most/2)
	diff := dc - w.pred
	w.pred = dc
	n := size(diff)
	w.bits(uint32(n), dcBits)
	w.value(diff, n)
	run := 0
	for _, v := range b[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.symbol(0xf0)
		}
		n := size(v)
		w.symbol(byte(run<<4 | n))
		w.value(v, n)
		run = 0
	}
	if run > 0 {
		w.bits(0, endBits)
	}
}

// symbol writes the code of a run and size.
func (w *writer) symbol(s byte) { w.bits(uint32(firstAC+acOrder[s]), acBits) }

// acOrder is the order of acIndex's values in the table, which is that of the
// symbols.
var acOrder = func() (order [256]int) {
	n := 0
	for s := range 256 {
		if acIndex(byte(s)) >= 0 {
			order[s] = n
			n++
		}
	}
	return order
}()

// decode finishes the JPEG and decodes it.
func (w *writer) decode() (*image.Gray, error) {
	w.bits(1<<8-1, (8-w.n)%8)
	w.buf.Write([]byte{0xff, eoi})
	img, err := jpeg.Decode(&w.buf)
	if err != nil {
		return nil, err
	}
	gray, ok := img.(*image.Gray)
	if !ok {
		return nil, FormatError("plane that is not gray")
	}
	return gray, nil
}

// planes decodes a sequential file by its planes. It returns the error of
// image/jpeg, cause, for a file that it cannot help: more than half is missing.
func (h *header) planes(data []byte, cause error) (image.Image, string, error) {
	w := &rewriter{header: *h, data: data}
	if err := w.run(); err != nil {
		return nil, "", cause
	}
	fault := ""
	if !w.whole {
		if 2*w.blocks < w.of || 2*w.rows < h.height {
			return nil, "", cause
		}
		fault = cutShort(h.height-w.rows, h.height)
	}
	var planes []*image.Gray
	for _, p := range w.planes {
		g, err := p.gray.decode()
		if err != nil {
			return nil, "", cause
		}
		planes = append(planes, g)
	}
	return h.combine(planes), fault, nil
}

// combine returns the picture of the planes, as header.model has it.
func (h *header) combine(planes []*image.Gray) image.Image {
	r := image.Rect(0, 0, h.width, h.height)
	switch h.model() {
	case color.GrayModel:
		return planes[0]
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
