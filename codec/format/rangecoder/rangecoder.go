// Package rangecoder is an entropy coder in integers: symbols of known probabilities to bytes and back, within a
// fraction of a bit of their information. The probabilities are the caller's; both sides must use the same.
//
// # Definition
//
// A symbol is an interval [lo, hi) of [0, 65536), its probability is (hi - lo)/65536. The coder's state is an interval of
// numbers [low, low + width), at first [0, 2^48). For each symbol, with unit = floor(width / 65536),
//
//	low   = low + unit*lo
//	width = unit*(hi - lo)
//	while width < 2^40:  low = 256*low, width = 256*width     (a shift)
//
// low is as long as it needs to be: after k shifts it has 48 + 8k bits. At the end, the stream is the shortest string of
// whole bytes, at least k of them, that read as the first digits of a number of 6 + k bytes, the rest zeros, lies in
// [low, low + width). Of several strings of that length it is the smallest.
//
// The decoder reads zeros after the end of the stream. It knows k when it has read the last symbol: a stream of less than k
// bytes has lost some, one of more than its encoder would write has gained some.
//
// As long as only symbols of 2^16, 2^15, ... of 65536 have been coded, unit*lo shifts no bits out: bits coded with equal
// probabilities at the beginning are the first bits of the stream, unchanged.
package rangecoder

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

// Encode adds the symbol [lo, hi). It panics if that is no interval of [0, 65536).
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

// Bits adds the low n bits of v, at most 16, each value with the same probability.
func (e *Encoder) Bits(v uint32, n int) {
	size := uint32(1<<ProbBits) >> n
	e.Encode(v*size, (v+1)*size)
}

// add adds to low and carries into the digits that are out already.
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

// Finish returns the stream. The encoder is not to be used again.
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
	value uint64 // what is read, less low
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

// Peek returns the number in [0, 65536) that the next symbol's interval contains. No stream of an encoder gives what the
// rounding of the unit leaves over; for others it is the last number.
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

// Bits reads n bits, at most 16, that Encoder.Bits wrote.
func (d *Decoder) Bits(n int) uint32 {
	shift := ProbBits - n
	v := d.Peek() >> shift
	d.Skip(v<<shift, (v+1)<<shift)
	return v
}

// Shifts returns the number k of shifts so far: a stream has at least that many bytes.
func (d *Decoder) Shifts() int { return d.next - 6 }
