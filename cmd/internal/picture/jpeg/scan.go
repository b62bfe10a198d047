package jpeg

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"io"
	"slices"
)

// tables are those of a component in a scan.
type tables struct{ dc, ac *huffman }

// A plane is a component while it is decoded.
type plane struct {
	component
	across, down int // blocks
	quantTable   *[64]uint16
	gray         *image.Gray
	kept         []block // of a progressive file, row by row
	scanned      bool
	sound        int // coefficients of a block before those whose scan was broken

	// In a scan:
	tables
	groupH, groupV int   // blocks of a group
	pred           int32 // the first coefficient of the block before
	scratch        block // if none is kept
}

// A decoder decodes the planes of a file.
type decoder struct {
	header
	r          *bufio.Reader
	planes     []*plane
	huff       [2][4]huffman
	quant      [4]*[64]uint16 // in zigzag order
	restart    int
	ended      bool // by an end marker
	whole      bool // nothing of the scans was missing or broken
	rows       int  // of pixels that are there, if without details
	blocks, of int  // blocks that were there
}

// run reads all scans. Its error is about what comes before the first pixel, or a
// plane without a scan.
func (d *decoder) run() error {
	hMax, vMax := d.largest()
	for _, c := range d.components {
		p := &plane{component: c, across: ceil(d.width*c.h, 8*hMax), down: ceil(d.height*c.v, 8*vMax), sound: 64}
		d.of += p.across * p.down
		d.planes = append(d.planes, p)
	}
	d.whole, d.rows = true, d.height
	_, _ = d.r.Discard(2) // as readHeader has seen
	for {
		marker, err := nextMarker(d.r)
		if err != nil || marker == eoi {
			d.ended = err == nil
			break
		}
		if err := d.segment(marker); err != nil {
			if d.blocks == 0 {
				return err
			}
			d.whole = false
			break
		}
	}
	if slices.ContainsFunc(d.planes, func(p *plane) bool { return !p.scanned }) {
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

// scan decodes a scan (B.2.3). What it lacks is gray, or stays as it was.
func (d *decoder) scan(b []byte) error {
	planes, err := d.scanPlanes(b)
	if err != nil {
		return err
	}
	r := &blockReader{bitReader: bitReader{r: d.r}}
	if r.band, err = d.scanBand(b[len(b)-3:], len(planes)); err != nil {
		return err
	}
	if slices.ContainsFunc(planes, func(p *plane) bool { return r.last >= p.sound }) {
		return nil // it would refine what is not there
	}
	hMax, vMax := d.largest()
	across, down, rows := ceil(d.width, 8*hMax), ceil(d.height, 8*vMax), 8*vMax
	if len(planes) == 1 { // blocks stand in rows (A.2.2)
		p := planes[0]
		across, down, rows = p.across, p.down, rows/p.v
		p.groupH, p.groupV = 1, 1
	}
	for y := range down {
		if err := d.groups(r, planes, across, y); err != nil {
			d.whole = false
			if r.base() {
				d.rows = min(d.rows, y*rows)
			}
			for _, p := range planes {
				p.sound = min(p.sound, r.first)
			}
			break
		}
	}
	return nil
}

// scanPlanes returns the planes of a scan.
func (d *decoder) scanPlanes(b []byte) (planes []*plane, err error) {
	if len(b) < 1 || int(b[0]) < 1 || int(b[0]) > len(d.planes) || len(b) != 4+2*int(b[0]) {
		return nil, FormatError("invalid scan header")
	}
	for i := range int(b[0]) {
		id, dc, ac := b[1+2*i], b[2+2*i]>>4, b[2+2*i]&15
		// Planes of one name, as some writers have them, stand in order.
		at := slices.IndexFunc(d.planes, func(p *plane) bool {
			return p.id == id && (d.progressive || !p.scanned) && !slices.Contains(planes, p)
		})
		if at < 0 || dc > 3 || ac > 3 {
			return nil, FormatError("invalid scan header")
		}
		p := d.planes[at]
		if err := d.begin(p); err != nil {
			return nil, err
		}
		p.tables = tables{&d.huff[0][dc], &d.huff[1][ac]}
		p.groupH, p.groupV, p.pred = p.h, p.v, 0
		planes = append(planes, p)
	}
	return planes, nil
}

// begin prepares a plane for its first scan.
func (d *decoder) begin(p *plane) error {
	if p.scanned {
		return nil
	}
	if p.quantTable = d.quant[p.quant]; p.quantTable == nil {
		return FormatError("missing quantization table")
	}
	if p.scanned = true; d.progressive {
		p.kept = make([]block, p.across*p.down)
	} else {
		p.paint()
	}
	return nil
}

// scanBand reads what a scan of n planes has of each block (B.2.3, G.1.1.1).
func (d *decoder) scanBand(b []byte, n int) (band, error) {
	if !d.progressive {
		return band{last: 63}, nil
	}
	s := band{first: int(b[0]), last: int(b[1]), low: int(b[2] & 15), refines: b[2]>>4 > 0}
	switch {
	case s.last > 63, s.last < s.first, s.first == 0 && s.last > 0, s.first > 0 && n > 1,
		s.low > 13, s.refines && int(b[2]>>4) != s.low+1:
		return band{}, FormatError("invalid scan header")
	}
	return s, nil
}

// groups decodes row y of groups of blocks.
func (d *decoder) groups(r *blockReader, planes []*plane, across, y int) error {
	for x := range across {
		if n := y*across + x; d.restart > 0 && n > 0 && n%d.restart == 0 {
			if err := r.restart(); err != nil {
				return err
			}
			r.ended = 0
			for _, p := range planes {
				p.pred = 0
			}
		}
		for _, p := range planes {
			for i := range p.groupV {
				for j := range p.groupH {
					x, y := x*p.groupH+j, y*p.groupV+i
					b := p.at(x, y)
					if err := r.block(b, p); err != nil {
						return err
					}
					if r.base() {
						d.blocks++
					}
					if !d.progressive {
						p.put(b, x, y)
					}
				}
			}
		}
	}
	return nil
}

// at returns the coefficients of a block, zeros where they are not kept.
func (p *plane) at(x, y int) *block {
	if p.kept != nil && x < p.across && y < p.down {
		return &p.kept[y*p.across+x]
	}
	p.scratch = block{}
	return &p.scratch
}

// paint begins the samples of a plane, and makes those of the blocks that it keeps.
func (p *plane) paint() {
	p.gray = &image.Gray{
		Pix: bytes.Repeat([]byte{128}, 64*p.across*p.down), Stride: 8 * p.across, Rect: image.Rect(0, 0, 8*p.across, 8*p.down),
	}
	for i := range p.kept {
		p.put(&p.kept[i], i%p.across, i/p.across)
	}
	p.kept = nil
}
