package format

import "github.com/coclico/coclico/codec/format/rangecoder"

// A Moment is what is known of a dimension of the CLIP vector before it is
// read: its mean and its standard deviation in the model's image normalizer,
// rounded to float16, in units of 2^-24. Every float16 is a whole number of
// these units.
type Moment struct{ Mean, Std int64 }

// A Prior is what a file's symbols depend on besides the file: the model.
type Prior struct {
	Fingerprint uint16   // first 10 bits
	Moments     []Moment // of each dimension of the model's vectors
}

// Float16 returns the value of a finite float16 in units of 2^-24.
func Float16(bits uint16) int64 {
	exponent, v := int(bits>>10&31), int64(bits&1023)
	if exponent > 0 {
		v = (v | 1024) << (exponent - 1)
	}
	if bits>>15 != 0 {
		v = -v
	}
	return v
}

// Allocation returns the number of bits of each dimension of the vector.
func (h Header) Allocation(p Prior) []uint8 {
	bits := make([]uint8, len(p.Moments))
	if h.Profile == Tuned {
		deviations := make([]int64, len(p.Moments))
		for i, m := range p.Moments {
			deviations[i] = m.Std
		}
		return Allocate(deviations, h.VectorBits)
	}
	for i := range bits {
		bits[i] = uint8(h.DimensionBits)
	}
	return bits
}

// A vectorCoder codes the vectors of one header and prior.
type vectorCoder struct {
	bits    []uint8  // of each dimension
	moments []Moment // nil if all codes of a dimension are equally probable
	middle  []uint32 // below of the upper half of each dimension's codes, all that one bit needs
}

func (h Header) vectorCoder(p Prior) vectorCoder {
	v := vectorCoder{bits: h.Allocation(p)}
	if h.Profile == Tuned {
		return v // its codes are equally probable
	}
	v.moments = p.Moments
	middle := make([]uint32, len(p.Moments))
	for i := range middle {
		n, _ := v.split(i)
		middle[i] = v.below(i, 1<<(n-1), n)
	}
	v.middle = middle
	return v
}

// each runs through codes as plain bits.
func (v vectorCoder) each(f field, codes []uint16) {
	for i := range codes {
		codes[i] = uint16(f(uint64(codes[i]), int(v.bits[i])))
	}
}

// modeled is the number of leading bits of a code that have a model; the others
// are equally probable.
const modeled = 6

// uncommon is the probability, in 1/65536, that a vector does not follow the
// model's statistics: that of a picture unlike those that the model was trained
// on. Its codes are taken as equally probable.
const uncommon = 1 << rangecoder.ProbBits / 16

// code runs through the codes of a vector. A writer chooses the way that takes
// fewer bits.
func (v vectorCoder) code(c coder, codes []uint16) {
	if v.moments != nil {
		k := 0
		if v.common(codes) {
			k = 1
		}
		if c(k, 2, func(k int) uint32 { return [...]uint32{0, uncommon, 1 << rangecoder.ProbBits}[k] }) == 0 {
			v.moments = nil
		}
	}
	for i := range codes {
		codes[i] = v.symbol(c, i, codes[i])
	}
}

// symbol reads or writes the code of dimension i.
func (v vectorCoder) symbol(c coder, i int, code uint16) uint16 {
	bits, rest := v.split(i)
	k := c(int(code)>>rest, 1<<bits, func(k int) uint32 { return v.below(i, k, bits) })
	return uint16(k)<<rest | c.uniform(code&(1<<rest-1), rest)
}

// uniform reads or writes a number of n bits, at most 16, all values equally
// probable.
func (c coder) uniform(v uint16, n int) uint16 {
	return uint16(c(int(v), 1<<n, func(k int) uint32 { return uint32(k) << (rangecoder.ProbBits - n) }))
}

// common reports whether the codes take no more bits with the model than
// without: whether the product of their probabilities times 2^bits is at least
// 1. The product is kept in 32 bits, the bits below them cut off, and an
// exponent.
func (v vectorCoder) common(codes []uint16) bool {
	product, exponent := uint64(1)<<31, -31
	for i, code := range codes {
		bits, rest := v.split(i)
		k := int(code) >> rest
		product *= uint64(v.below(i, k+1, bits) - v.below(i, k, bits)) // at least 1
		exponent += bits - rangecoder.ProbBits
		for product >= 1<<32 {
			product >>= 1
			exponent++
		}
	}
	return exponent+31 >= 0
}

// split returns how many bits of dimension i have a model, and how many have
// none.
func (v vectorCoder) split(i int) (bits, rest int) {
	bits = min(int(v.bits[i]), modeled)
	return bits, int(v.bits[i]) - bits
}

// below returns the probability, in 1/65536, of the first k of the 2^bits codes
// of dimension i.
func (v vectorCoder) below(i, k, bits int) uint32 {
	switch {
	case v.moments == nil:
		return uint32(k) << (rangecoder.ProbBits - bits)
	case k == 0 || k == 1<<bits:
		return share(&gaussCurve, 0, k, bits) // 0 or 1, whatever the edge
	case v.middle != nil && k == 1<<(bits-1):
		return v.middle[i]
	}
	return share(&gaussCurve, v.moments[i].edge(k, bits), k, bits)
}

// edge returns the lower edge of part k of [-1, 1] cut into 2^bits equal parts,
// in steps of 1/512 standard deviation from the mean, rounded down.
func (m Moment) edge(k, bits int) int {
	edge := int64(k)<<(25-bits) - 1<<24
	return limit(floorDiv((edge-m.Mean)*512, max(m.Std, 1)))
}

// limit clamps z to where curves end.
func limit(z int64) int {
	const end = 16 * (curveSize - 1)
	return int(min(max(z, -end), end))
}

// floorDiv returns a/b rounded down, for b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if q*b > a {
		q--
	}
	return q
}
