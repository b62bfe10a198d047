package jpeg

import "bufio"

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
	r   *bufio.Reader
	acc uint32
	n   int // bits in acc
}

// fill takes a byte; a marker ends the bits.
func (r *bitReader) fill() error {
	b, err := r.r.ReadByte()
	if err != nil {
		return err
	}
	if b == 0xff {
		_ = r.r.UnreadByte() // a marker is left for whoever looks for it
		if next, err := r.r.Peek(2); err != nil || next[1] != 0 {
			return errShort
		}
		_, _ = r.r.Discard(2)
	}
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

// restart passes over a restart marker.
func (r *bitReader) restart() error {
	r.n = 0
	for {
		b, err := r.r.Peek(2)
		if err != nil || b[0] != 0xff || b[1] != 0xff && (b[1] < rst0 || b[1] > rst7) {
			return errShort
		}
		if b[1] != 0xff {
			_, err = r.r.Discard(2)
			return err
		}
		_, _ = r.r.Discard(1) // a fill byte
	}
}
