package format

import (
	"math/bits"

	"github.com/coclico/coclico/codec/format/rangecoder"
)

// A field reads or writes a number of n bits, the most significant first. A
// writer writes v and returns it; a reader ignores v and returns what it reads.
// Code that runs through a layout with a field serves both directions.
type field func(v uint64, n int) uint64

// A coder reads or writes symbol k of n by a range coder: it is the Symbol
// method of an Encoder, which writes k and returns it, or of a Decoder, which
// ignores k. below(i) is the probability, in 1/65536, of the symbols below i.
type coder func(k, n int, below func(k int) uint32) int

// bits reads or writes a number of n bits, each equally probable. It is a
// [field].
func (c coder) bits(v uint64, n int) uint64 {
	for i := n - 1; i >= 0; i-- {
		bit := c(int(v>>i&1), 2, func(k int) uint32 { return uint32(k) << (rangecoder.ProbBits - 1) })
		v = v&^(1<<i) | uint64(bit)<<i
	}
	return v
}

// flag reads or writes one bit.
func (f field) flag(set bool) bool {
	v := uint64(0)
	if set {
		v = 1
	}
	return f(v, 1) == 1
}

// long reads or writes an Elias-gamma code of v > 0: its bit length minus one
// in size bits, then the bits below the leading 1.
func (f field) long(v uint64, size int) uint64 {
	n := int(f(uint64(bits.Len64(v)-1), size))
	first := uint64(1) << n
	return first | f(v&(first-1), n)
}

// A bitString is a string of bits, the most significant bit of each byte first.
// Beyond its end there are zeros.
type bitString struct {
	data []byte
	at   int // the next bit
}

// read is a [field].
func (s *bitString) read(_ uint64, n int) uint64 {
	v := uint64(0)
	for range n {
		v <<= 1
		if s.at/8 < len(s.data) {
			v |= uint64(s.data[s.at/8] >> (7 - s.at%8) & 1)
		}
		s.at++
	}
	return v
}

// write is a [field].
func (s *bitString) write(v uint64, n int) uint64 {
	for i := n - 1; i >= 0; i-- {
		if s.at%8 == 0 {
			s.data = append(s.data, 0)
		}
		s.data[s.at/8] |= byte(v>>i&1) << (7 - s.at%8)
		s.at++
	}
	return v
}
