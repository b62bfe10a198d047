package jpeg

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"io"
	"slices"
)

// A block holds the coefficients of 8 x 8 samples in zigzag order.
type block [64]int32

// block reads a block whose first coefficient is a difference to dc.
func (r *bitReader) block(b *block, dc *int32, t *tables) error {
	*b = block{}
	n, err := r.symbol(t.dc)
	if err != nil {
		return err
	}
	if n > 15 {
		return FormatError("invalid coefficient")
	}
	diff, err := r.value(int(n))
	if err != nil {
		return err
	}
	*dc += diff
	b[0] = *dc
	for k := 1; k < 64; k++ {
		s, err := r.symbol(t.ac)
		if err != nil {
			return err
		}
		run, n := int(s>>4), int(s&15)
		if n == 0 {
			if run < 15 { // end of block
				return nil
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return FormatError("invalid coefficient")
		}
		if b[k], err = r.value(n); err != nil {
			return err
		}
	}
	return nil
}

// tables are those of a component in a scan.
type tables struct{ dc, ac *huffman }

// A plane is a component while it is decoded.
type plane struct {
	component
	tables
	across, down int // blocks
	quantTable   *[64]uint16
	gray         *image.Gray // nil before its scan
	pred         int32
}

// A decoder decodes the planes of a sequential file.
type decoder struct {
	header
	r          *bufio.Reader
	planes     []*plane
	huff       [2][4]huffman
	quant      [4]*[64]uint16 // in zigzag order
	restart    int
	whole      bool // all blocks were there
	rows       int  // of pixels that are complete
	blocks, of int  // blocks that were there
}

// run reads all scans. Its error is about what comes before the first pixel, or a
// plane without a scan.
func (d *decoder) run() error {
	hMax, vMax := d.largest()
	for _, c := range d.components {
		p := &plane{component: c, across: ceil(d.width*c.h, 8*hMax), down: ceil(d.height*c.v, 8*vMax)}
		d.of += p.across * p.down
		d.planes = append(d.planes, p)
	}
	d.whole, d.rows = true, d.height
	_, _ = d.r.Discard(2) // as readHeader has seen
	for {
		marker, err := nextMarker(d.r)
		if err != nil || marker == eoi {
			break
		}
		if err := d.segment(marker); err != nil {
			if d.blocks == 0 {
				return err
			}
			break
		}
	}
	if slices.ContainsFunc(d.planes, func(p *plane) bool { return p.gray == nil }) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// segment takes a segment, and the scan that follows its header.
func (d *decoder) segment(marker byte) error {
	length, err := d.r.Peek(2)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(length))
	if n < 2 {
		return FormatError("short segment")
	}
	switch marker {
	case dqt, dht, dri, sos:
	default:
		_, err := d.r.Discard(n)
		return err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(d.r, b); err != nil {
		return err
	}
	b = b[2:]
	switch marker {
	case dqt:
		return d.quantTables(b)
	case dht:
		for len(b) > 0 {
			class, id := b[0]>>4, b[0]&15
			if class > 1 || id > 3 {
				return FormatError("invalid Huffman table")
			}
			rest, err := d.huff[class][id].set(b[1:])
			if err != nil {
				return err
			}
			b = rest
		}
	case dri:
		if len(b) != 2 {
			return FormatError("invalid restart interval")
		}
		d.restart = int(binary.BigEndian.Uint16(b))
	case sos:
		return d.scan(b)
	}
	return nil
}

// quantTables takes quantization tables of 8 or 16 bits (B.2.4.1).
func (d *decoder) quantTables(b []byte) error {
	for len(b) > 0 {
		size, id := 1+int(b[0]>>4), b[0]&15
		if size > 2 || id > 3 || len(b) < 1+64*size {
			return FormatError("invalid quantization table")
		}
		table := new([64]uint16)
		for k := range table {
			if table[k] = uint16(b[1+k*size]); size == 2 {
				table[k] = binary.BigEndian.Uint16(b[1+2*k:])
			}
		}
		d.quant[id], b = table, b[1+64*size:]
	}
	return nil
}

// scan decodes a scan (B.2.3). Blocks that it lacks are gray.
func (d *decoder) scan(b []byte) error {
	if len(b) < 1 || int(b[0]) < 1 || int(b[0]) > len(d.planes) || len(b) != 4+2*int(b[0]) {
		return FormatError("invalid scan header")
	}
	var planes []*plane
	for i := range int(b[0]) {
		id, dc, ac := b[1+2*i], b[2+2*i]>>4, b[2+2*i]&15
		// Planes of one name, as some writers have them, stand in order.
		at := slices.IndexFunc(d.planes, func(p *plane) bool { return p.id == id && p.gray == nil })
		if at < 0 || dc > 3 || ac > 3 {
			return FormatError("invalid scan header")
		}
		p := d.planes[at]
		if p.quantTable = d.quant[p.quant]; p.quantTable == nil {
			return FormatError("missing quantization table")
		}
		p.tables = tables{&d.huff[0][dc], &d.huff[1][ac]}
		p.gray = &image.Gray{
			Pix: bytes.Repeat([]byte{128}, 64*p.across*p.down), Stride: 8 * p.across, Rect: image.Rect(0, 0, 8*p.across, 8*p.down),
		}
		planes = append(planes, p)
	}
	hMax, vMax := d.largest()
	groupsAcross, groupsDown, rows := ceil(d.width, 8*hMax), ceil(d.height, 8*vMax), 8*vMax
	if len(planes) == 1 { // blocks stand in rows
		p := planes[0]
		groupsAcross, groupsDown, rows = p.across, p.down, rows/p.v
		p.h, p.v = 1, 1
	}
	r := &bitReader{r: d.r}
	for y := range groupsDown {
		if err := d.groups(r, planes, groupsAcross, y); err != nil {
			d.whole = false
			d.rows = min(d.rows, y*rows)
			break
		}
	}
	return nil
}

// groups decodes row y of groups of blocks.
func (d *decoder) groups(r *bitReader, planes []*plane, across, y int) error {
	for x := range across {
		if n := y*across + x; d.restart > 0 && n > 0 && n%d.restart == 0 {
			if err := r.restart(); err != nil {
				return err
			}
			for _, p := range planes {
				p.pred = 0
			}
		}
		for _, p := range planes {
			for i := range p.v {
				for j := range p.h {
					var b block
					if err := r.block(&b, &p.pred, &p.tables); err != nil {
						return err
					}
					d.blocks++
					p.put(&b, x*p.h+j, y*p.v+i)
				}
			}
		}
	}
	return nil
}
