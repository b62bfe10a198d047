package mini

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Weights are float16. The high byte of such a number, which has its sign, its
// exponent and two bits of its fraction, takes 5.7 bits in a Huffman code; the
// low byte is as good as random. So a file of weights is blocks:
//
//	  4 bytes  how many numbers it has, at most 65,536
//	  4        how many bytes the codes have
//	128        lengths of the codes of high bytes 0 to 255, in 4 bits, 0 for none
//	           codes, canonical, from the highest bit on, and 8 zero bytes
//	           low bytes
//
// All integers are little-endian. 21.5 MB become 18.2; zstd -19 without the split
// leaves 19.7. Package compress/flate takes three times as long for the codes.

// float16 is the number of this method in mini.zip; PKWARE has given it to
// nobody.
const float16 = 0xf16

const (
	block     = 1 << 16
	maxLength = 12 // of a code
	padding   = 8  // bytes that a load of 64 bits may take too many
)

var errBlock = errors.New("mini: an invalid block")

// A header is that of a block.
type header struct {
	Numbers, Code uint32
	Lengths       [128]byte
}

// A joiner reads blocks as numbers. The test that writes mini.zip has a splitter.
type joiner struct {
	packed    *bufio.Reader
	table     [1 << maxLength]uint16 // by the next bits: a high byte and, in 4 bits, the length of its code
	code      []byte
	low       [block]byte
	both      [2 * block]byte
	remaining []byte // of both
}

func newJoiner(r io.Reader) io.ReadCloser { return &joiner{packed: bufio.NewReader(r)} }

func (j *joiner) Close() error { return nil }

func (j *joiner) Read(p []byte) (int, error) {
	if len(j.remaining) == 0 {
		if err := j.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, j.remaining)
	j.remaining = j.remaining[n:]
	return n, nil
}

// next reads a block. It returns io.EOF after the last one.
func (j *joiner) next() error {
	var h header
	if _, err := j.packed.Peek(1); err != nil {
		return err
	}
	if err := binary.Read(j.packed, binary.LittleEndian, &h); err != nil {
		return short(err)
	}
	if h.Numbers > block || h.Code > block*maxLength/8+padding || h.Code < padding {
		return errBlock
	}
	if err := j.setTable(&h.Lengths); err != nil {
		return err
	}
	if cap(j.code) < int(h.Code) {
		j.code = make([]byte, h.Code)
	}
	code, low := j.code[:h.Code], j.low[:h.Numbers]
	if _, err := io.ReadFull(j.packed, code); err != nil {
		return short(err)
	}
	if _, err := io.ReadFull(j.packed, low); err != nil {
		return short(err)
	}
	return j.join(code, low)
}

// setTable makes the table of canonical codes: shorter ones first, and of one
// length in the order of the bytes.
func (j *joiner) setTable(lengths *[128]byte) error {
	at := 0
	for length := 1; length <= maxLength; length++ {
		for b := range 256 {
			if int(lengths[b/2]>>(b%2*4)&15) != length {
				continue
			}
			n := 1 << (maxLength - length)
			if at+n > len(j.table) {
				return errBlock
			}
			for i := range n {
				j.table[at+i] = uint16(b<<4 | length)
			}
			at += n
		}
	}
	clear(j.table[at:])
	return nil
}

// join decodes the high bytes and sets them beside the low ones. It takes up to four
// codes from a load of 64 bits, where at least the first 57 are valid.
func (j *joiner) join(code, low []byte) error {
	both, bit := j.both[:2*len(low)], 0
	j.remaining = both
	for len(low) > 0 {
		if bit/8+padding > len(code) {
			return errBlock
		}
		bits := binary.BigEndian.Uint64(code[bit/8:]) << (bit % 8)
		n := min(4, len(low))
		for i, l := range low[:n] {
			entry := j.table[bits>>(64-maxLength)]
			both[2*i], both[2*i+1] = l, byte(entry>>4)
			bits <<= entry & 15
			bit += int(entry & 15)
		}
		low, both = low[n:], both[2*n:]
	}
	return nil
}

// short returns the error of a block that is not whole.
func short(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
