// Package rangecoder is an entropy coder in integers: it turns symbols of known
// probabilities into bytes and back, within a fraction of a bit of their
// information. The probabilities are the caller's; both sides must use the
// same.
//
// # Definition
//
// A symbol is an interval [lo, hi) of [0, 65536), of probability (hi -
// lo)/65536. The coder's state is an interval of numbers [low, low + width),
// at first [0, 2^48). For each symbol, with unit = floor(width / 65536),
//
//	low   = low + unit*lo
//	width = unit*(hi - lo)
//	while width < 2^40:  low = 256*low, width = 256*width     (a shift)
//
// low has as many bits as it needs: after k shifts, 48 + 8k. At the end, the
// stream is the shortest string of whole bytes, at least k of them, that, read
// as the first digits of a number of 6 + k bytes whose other digits are zeros,
// lies in [low, low + width). Of several strings of that length it is the
// smallest.
//
// The decoder reads zeros after the end of the stream. After the last symbol it
// knows k: a shorter stream has lost bytes, a longer one than its encoder would
// write has gained some.
//
// As long as only symbols of 2^16, 2^15, ... of 65536 have been coded, unit*lo
// shifts no bits out: bits coded with equal probabilities at the beginning are
// the first bits of the stream, unchanged.
package rangecoder

import "math/bits"

const (
	// ProbBits is the precision of probabilities: they are n/65536.
	ProbBits = 16

	top    = 1 << 48 // the window of low that is still changing; carries go above
	bottom = 1 << 40
)

// An Encoder makes a stream of symbols. The zero value is ready.
type Encoder struct {
	out      []byte // the digits above the window
	low      uint64 // less than top
	narrowed uint64 // top - width, so that the zero value is the whole window
}

// Encode adds the symbol [lo, hi). It panics if that is not an interval of [0,
// 65536).
func (e *Encoder) Encode(lo, hi uint32) {
	if lo >= hi || hi > 1<<ProbBits {
		panic("rangecoder: not an interval of [0, 65536)")
	}
	width := top - e.narrowed
	unit := width >> ProbBits
	e.add(unit * uint64(lo))
	for width = unit * uint64(hi-lo); width < bottom; width <<= 8 {
		e.out = append(e.out, byte(e.low>>40))
		e.low = e.low << 8 % top
	}
	e.narrowed = top - width
}

// Symbol adds symbol k of n, whose interval is [below(k), below(k+1)), and
// returns k. below(0) is 0, below(n) is 65536.
func (e *Encoder) Symbol(k, n int, below func(k int) uint32) int {
	e.Encode(below(k), below(k+1))
	return k
}

// add adds to low and carries into the digits that are already out.
func (e *Encoder) add(x uint64) {
	e.low += x
	if e.low < top {
		return
	}
	e.low -= top
	for i := len(e.out) - 1; ; i-- { // ends: low < 1 as a fraction of everything
		e.out[i]++
		if e.out[i] != 0 {
			return
		}
	}
}

// Finish returns the stream. The encoder must not be used again.
func (e *Encoder) Finish() []byte {
	width := top - e.narrowed
	for n := 0; ; n++ { // ends with n = 6 at the latest, where up is 0
		place := uint64(1) << (48 - 8*n)
		up := (place - e.low%place) % place
		if up >= width {
			continue
		}
		e.add(up)
		for ; n > 0; n-- {
			e.out = append(e.out, byte(e.low>>40))
			e.low = e.low << 8 % top
		}
		return e.out
	}
}

// A Decoder reads the symbols of a stream.
type Decoder struct {
	in    []byte
	next  int    // of in; past its end there are zeros
	value uint64 // the digits read, less low
	width uint64
}

// NewDecoder returns the decoder of a stream.
func NewDecoder(in []byte) *Decoder {
	d := &Decoder{in: in, width: top}
	for range 6 {
		d.shift()
	}
	return d
}

func (d *Decoder) shift() {
	d.value <<= 8
	if d.next < len(d.in) {
		d.value |= uint64(d.in[d.next])
	}
	d.next++
}

// Peek returns the number in [0, 65536) that the next symbol's interval
// contains. No encoder makes a stream that reaches what the rounding of the
// unit leaves over; in other streams that counts as the last number.
func (d *Decoder) Peek() uint32 {
	return uint32(min(d.value/(d.width>>ProbBits), 1<<ProbBits-1))
}

// Skip takes the symbol [lo, hi), which contains what Peek returned.
func (d *Decoder) Skip(lo, hi uint32) {
	unit := d.width >> ProbBits
	d.value -= unit * uint64(lo)
	for d.width = unit * uint64(hi-lo); d.width < bottom; d.width <<= 8 {
		d.shift()
	}
}

// Symbol reads what Encoder.Symbol wrote, whatever its first argument. It
// compares products instead of the quotient that Peek returns, which takes a
// slow division.
func (d *Decoder) Symbol(_, n int, below func(k int) uint32) int {
	unit := d.width >> ProbBits
	first, end := 0, n // the symbol is one of these
	lo, hi := uint32(0), uint32(1<<ProbBits)
	for end-first > 1 {
		mid := (first + end) / 2
		if p := below(mid); unit*uint64(p) <= d.value {
			first, lo = mid, p
		} else {
			end, hi = mid, p
		}
	}
	d.Skip(lo, hi)
	return first
}

// Bit reads one of two symbols as Symbol does, without a division. The second
// symbol begins at mid.
func (d *Decoder) Bit(mid uint32) int {
	unit := d.width >> ProbBits
	split := unit * uint64(mid)
	_, below := bits.Sub64(d.value, split, 0) // no branch: it would be guessed wrong half of the time
	zero := -below
	d.value -= split &^ zero
	d.width = split&zero | (unit<<ProbBits-split)&^zero
	for d.width < bottom {
		d.width <<= 8
		d.shift()
	}
	return int(1 - below)
}

// Uniform reads one of 2^n equally probable symbols, n at most ProbBits, as
// Symbol does.
func (d *Decoder) Uniform(n int) int {
	unit := d.width >> ProbBits
	d.width = unit << (ProbBits - n)
	k := 0
	for n--; n >= 0; n-- {
		rest, below := bits.Sub64(d.value, d.width<<n, 0)
		k = k<<1 | int(1-below)
		if below == 0 {
			d.value = rest
		}
	}
	for d.width < bottom {
		d.width <<= 8
		d.shift()
	}
	return k
}

// Shifts returns the number k of shifts so far: a stream has at least that many
// bytes.
func (d *Decoder) Shifts() int { return d.next - 6 }
