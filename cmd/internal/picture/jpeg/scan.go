package jpeg

import (
	"encoding/binary"
	"io"
)

// A block holds the coefficients of 8 x 8 samples in zigzag order.
type block [64]int32

// errShort means that a scan has fewer blocks than its frame.
const errShort = FormatError("short scan")

// A huffman table decodes by code length (F.2.2.3).
type huffman struct {
	first  [17]int32 // the first code of that many bits
	count  [17]int32
	at     [17]int // index of its value
	values []byte
}

// set takes the counts of the codes of 1 to 16 bits, and returns what follows
// the values.
func (t *huffman) set(b []byte) ([]byte, error) {
	if len(b) < 16 {
		return nil, FormatError("invalid Huffman table")
	}
	code, n := int32(0), 0
	for bits := 1; bits <= 16; bits++ {
		t.first[bits], t.count[bits], t.at[bits] = code, int32(b[bits-1]), n
		n += int(b[bits-1])
		code = (code + t.count[bits]) << 1
		if code > 2<<bits {
			return nil, FormatError("invalid Huffman table")
		}
	}
	if n > 256 || len(b) < 16+n {
		return nil, FormatError("invalid Huffman table")
	}
	t.values = b[16 : 16+n]
	return b[16+n:], nil
}

// A bitReader reads a scan's bits.
type bitReader struct {
	data []byte // from the scan on
	at   int
	acc  uint32
	n    int // bits in acc
}

// fill takes a byte; a marker ends the bits.
func (r *bitReader) fill() error {
	if r.at >= len(r.data) {
		return errShort
	}
	b := r.data[r.at]
	if b == 0xff {
		if r.at+1 >= len(r.data) || r.data[r.at+1] != 0 {
			return errShort
		}
		r.at++
	}
	r.at++
	r.acc, r.n = r.acc<<8|uint32(b), r.n+8
	return nil
}

func (r *bitReader) bits(n int) (int32, error) {
	for r.n < n {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	r.n -= n
	return int32(r.acc >> r.n & (1<<n - 1)), nil
}

func (r *bitReader) symbol(t *huffman) (byte, error) {
	code := int32(0)
	for bits := 1; bits <= 16; bits++ {
		b, err := r.bits(1)
		if err != nil {
			return 0, err
		}
		code = code<<1 | b
		if i := code - t.first[bits]; i >= 0 && i < t.count[bits] {
			return t.values[t.at[bits]+int(i)], nil
		}
	}
	return 0, FormatError("invalid Huffman code")
}

// value reads a number of n bits (F.2.2.1, EXTEND).
func (r *bitReader) value(n int) (int32, error) {
	v, err := r.bits(n)
	if n > 0 && v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v, err
}

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

// restart passes over a restart marker.
func (r *bitReader) restart() error {
	r.n = 0
	for r.at < len(r.data) && r.data[r.at] == 0xff && r.at+1 < len(r.data) && r.data[r.at+1] == 0xff {
		r.at++
	}
	if r.at+1 >= len(r.data) || r.data[r.at] != 0xff || r.data[r.at+1] < rst0 || r.data[r.at+1] > rst7 {
		return errShort
	}
	r.at += 2
	return nil
}

// tables are those of a component in a scan.
type tables struct{ dc, ac *huffman }

// A plane is a component while it is rewritten.
type plane struct {
	component
	tables
	width, height int // samples
	across, down  int // blocks
	quantTable    []byte
	gray          *writer // nil before its scan
	pred          int32
	rows          [][]block // of the groups of blocks that are read
}

// A rewriter rewrites the planes of a sequential file.
type rewriter struct {
	header
	data       []byte
	at         int
	planes     []*plane
	huff       [2][4]huffman
	quant      [4][]byte // with the byte that says how long the values are
	restart    int
	whole      bool // all blocks were there
	rows       int  // of pixels that are complete
	blocks, of int  // blocks that were there
}

// run reads all scans. Its error is about what comes before the first pixel.
func (w *rewriter) run() error {
	hMax, vMax := w.largest()
	for _, c := range w.components {
		p := &plane{component: c, width: ceil(w.width*c.h, hMax), height: ceil(w.height*c.v, vMax)}
		p.across, p.down = ceil(p.width, 8), ceil(p.height, 8)
		w.of += p.across * p.down
		w.planes = append(w.planes, p)
	}
	w.whole, w.rows = true, w.height
	w.at = 2
	for {
		marker, err := nextMarker(w)
		if err != nil || marker == eoi {
			break
		}
		if w.at+2 > len(w.data) {
			break
		}
		n := int(binary.BigEndian.Uint16(w.data[w.at:]))
		if n < 2 || w.at+n > len(w.data) {
			break
		}
		segment := w.data[w.at+2 : w.at+n]
		w.at += n
		if err := w.segment(marker, segment); err != nil {
			if w.blocks == 0 {
				return err
			}
			break
		}
	}
	for _, p := range w.planes {
		if p.gray == nil { // no scan of it
			w.whole, w.rows = false, 0
			if p.quantTable = w.quant[p.quant]; p.quantTable == nil {
				return FormatError("missing quantization table")
			}
			p.gray = newWriter(p)
		}
		for p.gray.blocks < p.across*p.down {
			p.gray.block(&block{})
		}
	}
	return nil
}

// ReadByte is for nextMarker.
func (w *rewriter) ReadByte() (byte, error) {
	if w.at >= len(w.data) {
		return 0, io.EOF
	}
	w.at++
	return w.data[w.at-1], nil
}

func (h *header) largest() (hMax, vMax int) {
	for _, c := range h.components {
		hMax, vMax = max(hMax, c.h), max(vMax, c.v)
	}
	return hMax, vMax
}

func ceil(a, b int) int { return (a + b - 1) / b }

func (w *rewriter) segment(marker byte, b []byte) error {
	switch marker {
	case dqt:
		for len(b) > 0 {
			n, id := 64<<(b[0]>>4&1), b[0]&15
			if b[0]>>4 > 1 || id > 3 || len(b) < 1+n {
				return FormatError("invalid quantization table")
			}
			w.quant[id], b = b[:1+n], b[1+n:]
		}
	case dht:
		for len(b) > 0 {
			class, id := b[0]>>4, b[0]&15
			if class > 1 || id > 3 {
				return FormatError("invalid Huffman table")
			}
			rest, err := w.huff[class][id].set(b[1:])
			if err != nil {
				return err
			}
			b = rest
		}
	case dri:
		if len(b) != 2 {
			return FormatError("invalid restart interval")
		}
		w.restart = int(binary.BigEndian.Uint16(b))
	case sos:
		return w.scan(b)
	}
	return nil
}

// scan rewrites a scan (B.2.3). Blocks that it lacks are zeros.
func (w *rewriter) scan(b []byte) error {
	if len(b) < 1 || int(b[0]) < 1 || int(b[0]) > len(w.planes) || len(b) != 4+2*int(b[0]) {
		return FormatError("invalid scan header")
	}
	var planes []*plane
	for i := range int(b[0]) {
		id, dc, ac := b[1+2*i], b[2+2*i]>>4, b[2+2*i]&15
		var p *plane
		for _, q := range w.planes {
			if q.id == id {
				p = q
			}
		}
		if p == nil || p.gray != nil || dc > 3 || ac > 3 {
			return FormatError("invalid scan header")
		}
		if p.quantTable = w.quant[p.quant]; p.quantTable == nil {
			return FormatError("missing quantization table")
		}
		p.tables = tables{&w.huff[0][dc], &w.huff[1][ac]}
		p.gray = newWriter(p)
		planes = append(planes, p)
	}
	hMax, vMax := w.largest()
	groupsAcross, groupsDown, rows := ceil(w.width, 8*hMax), ceil(w.height, 8*vMax), 8*vMax
	if len(planes) == 1 { // blocks stand in rows
		p := planes[0]
		groupsAcross, groupsDown, rows = p.across, p.down, rows/p.v
		p.h, p.v = 1, 1
	}
	r := &bitReader{data: w.data[w.at:]}
	for y := range groupsDown {
		err := w.groups(r, planes, groupsAcross, y*groupsAcross)
		for _, p := range planes {
			p.flush()
		}
		if err != nil {
			w.whole = false
			w.rows = min(w.rows, y*rows)
			break
		}
	}
	w.at += r.at
	return nil
}

// groups reads a row of groups of blocks. The number of its first group is first.
func (w *rewriter) groups(r *bitReader, planes []*plane, across, first int) error {
	for _, p := range planes {
		p.rows = make([][]block, p.v)
		for i := range p.rows {
			p.rows[i] = make([]block, across*p.h)
		}
	}
	for x := range across {
		if n := first + x; w.restart > 0 && n > 0 && n%w.restart == 0 {
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
					b := &p.rows[i][x*p.h+j]
					if err := r.block(b, &p.pred, &p.tables); err != nil {
						*b = block{}
						return err
					}
					w.blocks++
				}
			}
		}
	}
	return nil
}

// flush writes the rows without the blocks beyond the plane.
func (p *plane) flush() {
	for _, row := range p.rows {
		if p.gray.blocks < p.across*p.down {
			for i := range row[:p.across] {
				p.gray.block(&row[i])
			}
		}
	}
}
