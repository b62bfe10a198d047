package tiff

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"math/bits"

	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff/lzw"
)

// Decode decodes the first picture.
func Decode(r io.ReadSeeker) (image.Image, error) {
	d, err := newDecoder(r)
	if err != nil {
		return nil, err
	}
	return d.decode()
}

func (d *decoder) decode() (image.Image, error) {
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	if d.tiled {
		offsets, counts = tagTileOffsets, tagTileByteCounts
	}
	at, err := d.values(offsets, d.blocks())
	if err != nil {
		return nil, err
	}
	sizes, err := d.values(counts, d.blocks())
	if err != nil {
		return nil, err
	}
	if (len(sizes) == 0 || sizes[0] == 0) && len(at) == 1 && d.compression == none { // up to the end of the file
		sizes = []int64{1<<63 - 1 - at[0]}
	}
	if int64(len(at)) < d.blocks() || int64(len(sizes)) < d.blocks() {
		return nil, FormatError("too few strips or tiles")
	}
	if err := d.allow(int64(d.width) * int64(d.height)); err != nil {
		return nil, err
	}
	if e, ok := d.entries[tagJPEGTables]; ok && d.compression == jpegData {
		const most = 1 << 16
		if d.tables, err = d.bytes(e, 1, most); err != nil {
			return nil, err
		}
	}
	c := d.newCanvas(image.Rect(0, 0, d.width, d.height))
	across, down := ceil(d.width, d.blockWidth), ceil(d.height, d.blockHeight)
	for i := range at {
		x, y := i%across, i/across%down
		b := block{
			x: x * d.blockWidth, y: y * d.blockHeight, width: d.blockWidth, height: d.blockHeight,
			first: i / across / down, samples: d.samples,
		}
		if d.apart {
			b.samples = 1
		}
		if !d.tiled {
			b.height = min(b.height, d.height-b.y)
		}
		err := d.decodeBlock(c, b, io.NewSectionReader(d, at[i], sizes[i]))
		switch {
		case d.left < 0:
			return nil, errOverlap
		case err != nil:
			return nil, err
		}
	}
	c.finish()
	return c.img, nil
}

// A block is a strip or a tile, of one plane if they stand apart.
type block struct {
	x, y, width, height int
	first, samples      int // of a pixel
}

// A scratch is what one block leaves to the next, so that many small ones make no
// garbage: a Deflate decoder alone holds 40 kB. Those of LZW and JPEG cannot be kept.
type scratch struct {
	in      *bufio.Reader
	zlib    io.Reader
	row     []byte
	samples []uint16
}

// decodeBlock decodes a block row by row.
func (d *decoder) decodeBlock(c *canvas, b block, data *io.SectionReader) error {
	if d.compression == jpegData {
		return d.decodeJPEG(c, b, data)
	}
	r, err := d.decompress(b, data)
	if err != nil {
		return err
	}
	s := &d.scratch
	if s.row == nil { // all blocks have one width
		s.row = make([]byte, ceil(b.width*b.samples*d.bits, 8))
		s.samples = make([]uint16, b.width*b.samples)
	}
	row, samples := s.row, s.samples
	for y := b.y; y < min(b.y+b.height, d.height); y++ {
		if _, err := io.ReadFull(r, row); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return io.ErrUnexpectedEOF
			}
			return FormatError(err.Error())
		}
		d.unpack(samples, row)
		if d.predictor == predictLeft {
			mask := uint16(1<<d.bits - 1)
			for i := b.samples; i < len(samples); i++ {
				samples[i] = (samples[i] + samples[i-b.samples]) & mask
			}
		}
		if d.photometric == ycbcr {
			for p := samples; len(p) >= 3; p = p[b.samples:] {
				r, g, b := color.YCbCrToRGB(uint8(p[0]), uint8(p[1]), uint8(p[2]))
				p[0], p[1], p[2] = uint16(r), uint16(g), uint16(b)
			}
		}
		c.put(samples, b, y)
	}
	return nil
}

// decompress returns the bytes of a block.
func (d *decoder) decompress(b block, data *io.SectionReader) (io.Reader, error) {
	if d.scratch.in == nil {
		d.scratch.in = bufio.NewReader(nil)
	}
	r := d.scratch.in
	r.Reset(data)
	if d.reversed {
		r.Reset(&reverser{data})
	}
	switch d.compression {
	case faxGroup3:
		if d.filled {
			return &filledFax{r: r, width: b.width}, nil
		}
		return ccitt.NewReader(r, ccitt.MSB, ccitt.Group3, b.width, b.height, faxOptions), nil
	case faxGroup4:
		return ccitt.NewReader(r, ccitt.MSB, ccitt.Group4, b.width, b.height, faxOptions), nil
	case lzwCodes:
		return lzw.NewReader(r, lzw.MSB, 8), nil
	case deflate, deflateOld:
		switch err := d.scratch.inflate(r); err {
		case nil:
			return d.scratch.zlib, nil
		case io.EOF, io.ErrUnexpectedEOF:
			return nil, io.ErrUnexpectedEOF
		}
		return nil, FormatError("invalid Deflate data")
	case packBits:
		return &unpacker{r: r}, nil
	}
	return r, nil
}

// inflate makes zlib read what r has.
func (s *scratch) inflate(r io.Reader) (err error) {
	if z, ok := s.zlib.(zlib.Resetter); ok {
		return z.Reset(r, nil)
	}
	s.zlib, err = zlib.NewReader(r)
	return err
}

// A reverser reverses the bits of every byte.
type reverser struct{ r io.Reader }

func (r *reverser) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	for i, b := range p[:n] {
		p[i] = bits.Reverse8(b)
	}
	return n, err
}

// An unpacker undoes PackBits (section 9).
type unpacker struct {
	r       *bufio.Reader
	literal int  // bytes to copy
	run     int  // times to repeat b
	b       byte // of a run
}

func (u *unpacker) Read(p []byte) (int, error) {
	for i := range p {
		for u.literal == 0 && u.run == 0 {
			n, err := u.r.ReadByte()
			if err != nil {
				return i, err
			}
			switch {
			case n < 128:
				u.literal = int(n) + 1
			case n > 128:
				u.run = 257 - int(n)
				if u.b, err = u.r.ReadByte(); err != nil {
					return i, err
				}
			}
		}
		if u.run > 0 {
			p[i] = u.b
			u.run--
			continue
		}
		b, err := u.r.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = b
		u.literal--
	}
	return len(p), nil
}

// unpack takes the samples out of a row.
func (d *decoder) unpack(samples []uint16, row []byte) {
	switch d.bits {
	case 8:
		for i := range samples {
			samples[i] = uint16(row[i])
		}
	case 16:
		for i := range samples {
			samples[i] = d.order.Uint16(row[2*i:])
		}
	default:
		mask := byte(1<<d.bits - 1)
		for i := range samples {
			bit := i * d.bits
			samples[i] = uint16(row[bit/8] >> (8 - d.bits - bit%8) & mask)
		}
	}
}

// A canvas is the picture that samples are put into.
type canvas struct {
	img      image.Image
	pix      []uint8
	stride   int
	channels int      // of a pixel
	bytes    int      // of a channel
	targets  []target // of the samples; more samples are left out
	clamp    bool     // colors are multiplied by alpha
}

// A target is where a sample goes.
type target struct {
	channels []int
	table    []uint16 // of what stands for it there, nil for itself
}

// newCanvas makes a picture for what the samples stand for.
func (d *decoder) newCanvas(r image.Rectangle) *canvas {
	colors := 3
	switch d.photometric {
	case whiteIsZero, blackIsZero, paletted:
		colors = 1
	case cmyk:
		colors = 4
	}
	alpha := d.alpha
	if d.samples == colors || colors == 4 || alpha != premultiplied && alpha != straight {
		alpha = 0 // extra samples mean anything
	}
	c := &canvas{channels: 4, bytes: 1, clamp: alpha == premultiplied}
	deep := d.bits == 16
	switch {
	case d.palette != nil:
		img := image.NewPaletted(r, d.palette)
		c.img, c.pix, c.channels = img, img.Pix, 1
	case colors == 4:
		img := image.NewCMYK(r)
		c.img, c.pix = img, img.Pix
	case colors == 1 && alpha == 0 && deep:
		img := image.NewGray16(r)
		c.img, c.pix, c.channels, c.bytes = img, img.Pix, 1, 2
	case colors == 1 && alpha == 0:
		img := image.NewGray(r)
		c.img, c.pix, c.channels = img, img.Pix, 1
	case alpha == straight && deep:
		img := image.NewNRGBA64(r)
		c.img, c.pix, c.bytes = img, img.Pix, 2
	case alpha == straight:
		img := image.NewNRGBA(r)
		c.img, c.pix = img, img.Pix
	case deep:
		img := image.NewRGBA64(r)
		c.img, c.pix, c.bytes = img, img.Pix, 2
	default:
		img := image.NewRGBA(r)
		c.img, c.pix = img, img.Pix
	}
	c.stride = r.Dx() * c.channels * c.bytes
	table := d.scale(c.bytes, d.photometric == whiteIsZero)
	for i := range colors {
		c.targets = append(c.targets, target{[]int{i}, table})
	}
	if alpha != 0 {
		if colors == 1 {
			c.targets[0].channels = []int{0, 1, 2}
		}
		c.targets = append(c.targets, target{[]int{3}, d.scale(c.bytes, false)})
	} else if colors == 3 {
		c.fill(3, 0xff)
	}
	return c
}

// scale returns a table that takes samples to 8 or 16 bits, nil where they are
// taken as they are.
func (d *decoder) scale(bytes int, invert bool) []uint16 {
	if d.palette != nil || d.bits == 8*bytes && !invert {
		return nil
	}
	top, full := uint64(1)<<d.bits-1, uint64(1)<<(8*bytes)-1
	table := make([]uint16, top+1)
	for i := range table {
		v := uint64(i)
		if invert {
			v = top - v
		}
		table[i] = uint16((v*full + top/2) / top)
	}
	return table
}

// fill sets a channel of all pixels.
func (c *canvas) fill(channel int, v uint8) {
	size := c.channels * c.bytes
	for i := channel * c.bytes; i < len(c.pix); i += size {
		for j := range c.bytes {
			c.pix[i+j] = v
		}
	}
}

// put writes the samples of a row of a block.
func (c *canvas) put(samples []uint16, b block, y int) {
	width := min(b.width, c.img.Bounds().Dx()-b.x)
	size := c.channels * c.bytes
	row := c.pix[y*c.stride+b.x*size:][:width*size]
	for i := range b.samples {
		if b.first+i >= len(c.targets) {
			return
		}
		t := c.targets[b.first+i]
		for x := range width {
			v := samples[x*b.samples+i]
			if t.table != nil {
				v = t.table[v]
			}
			for _, channel := range t.channels {
				at := x*size + channel*c.bytes
				if c.bytes == 2 {
					binary.BigEndian.PutUint16(row[at:], v)
				} else {
					row[at] = uint8(v)
				}
			}
		}
	}
}

// finish makes colors no larger than the alpha that they are multiplied by.
func (c *canvas) finish() {
	if !c.clamp {
		return
	}
	for pix := c.pix; len(pix) > 0; pix = pix[4*c.bytes:] {
		for i := range 3 {
			if c.bytes == 1 {
				pix[i] = min(pix[i], pix[3])
			} else if order := binary.BigEndian; order.Uint16(pix[2*i:]) > order.Uint16(pix[6:]) {
				copy(pix[2*i:2*i+2], pix[6:8])
			}
		}
	}
}
