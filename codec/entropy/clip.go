package entropy

import (
	"github.com/coclico/coclico/codec/rangecoder"
	"github.com/coclico/coclico/codec/tuned"
)

// A Moment is what is known of a dimension of the CLIP vector before it is read: the mean and the standard deviation that
// the model's image normaliser has for it, rounded to float16, in units of 2^-24. Every float16 is a whole number of these.
type Moment struct{ Mean, Std int64 }

// Float16 returns the number of units of 2^-24 that the bits of a finite float16 stand for.
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

// A Vector is how a CLIP vector is quantised, and how probable its codes are.
type Vector struct {
	bits    []uint8  // of each dimension
	moments []Moment // nil if all codes of a dimension are equally probable
	middle  []uint32 // below of the upper half of each dimension's codes, which one bit needs alone
}

// UniformVector returns that of the paper: [-1, 1] in 2^bits equal parts.
func UniformVector(moments []Moment, bits int) Vector {
	v := Vector{bits: make([]uint8, len(moments)), moments: moments}
	for i := range v.bits {
		v.bits[i] = uint8(bits)
	}
	middle := make([]uint32, len(moments))
	for i := range middle {
		n, _ := v.split(i)
		middle[i] = v.below(i, 1<<(n-1), n)
	}
	v.middle = middle
	return v
}

// TunedVector returns that of the tuned profile, total bits for all dimensions.
func TunedVector(moments []Moment, total int) Vector {
	deviations := make([]int64, len(moments))
	for i, m := range moments {
		deviations[i] = m.Std
	}
	return Vector{bits: tuned.Allocate(deviations, total)}
}

// AllBits returns the bits of each dimension's code.
func (v Vector) AllBits() []uint8 { return v.bits }

// Bits returns the bits of the code of dimension i.
func (v Vector) Bits(i int) int { return int(v.bits[i]) }

// modelled is the number of a uniform code's first bits that have a model; the rest are equally probable.
const modelled = 6

// uncommon is the probability, in 1/65536, that a vector is not as the model's statistics have it: that of a picture unlike
// those that the model knows. Its codes are taken for equally probable.
const uncommon = 1 << rangecoder.ProbBits / 16

// Write codes the codes of a vector, in the way that takes fewer bits.
func (v Vector) Write(e *rangecoder.Encoder, codes []uint16) {
	switch {
	case v.moments == nil:
	case v.common(codes):
		e.Encode(uncommon, 1<<rangecoder.ProbBits)
	default:
		e.Encode(0, uncommon)
		v.moments = nil
	}
	for i, code := range codes {
		bits, rest := v.split(i)
		k := int(code) >> rest
		e.Encode(v.below(i, k, bits), v.below(i, k+1, bits))
		e.Bits(uint32(code)&(1<<rest-1), rest)
	}
}

// common reports whether the codes take no more bits with the model than without: whether the product of their
// probabilities times 2^bits is at least 1. The product is 32 bits, those below them cut off, and an exponent.
func (v Vector) common(codes []uint16) bool {
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

// Read reads what Write wrote.
func (v Vector) Read(d *rangecoder.Decoder, codes []uint16) {
	switch {
	case v.moments == nil:
	case d.Peek() < uncommon:
		d.Skip(0, uncommon)
		v.moments = nil
	default:
		d.Skip(uncommon, 1<<rangecoder.ProbBits)
	}
	for i := range codes {
		bits, rest := v.split(i)
		k, at := 0, d.Peek()
		for v.below(i, k+1, bits) <= at {
			k++
		}
		d.Skip(v.below(i, k, bits), v.below(i, k+1, bits))
		codes[i] = uint16(k)<<rest | uint16(d.Bits(rest))
	}
}

// split returns how many of the bits of dimension i have a model, and how many have none.
func (v Vector) split(i int) (bits, rest int) {
	bits = min(int(v.bits[i]), modelled)
	return bits, int(v.bits[i]) - bits
}

// below returns the probability, in 1/65536, of the first k of 2^bits codes of dimension i.
func (v Vector) below(i, k, bits int) uint32 {
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

// edge returns the lower edge of part k of [-1, 1] cut in 2^bits equal ones, in steps of 1/512 standard deviation from the
// mean, rounded down.
func (m Moment) edge(k, bits int) int {
	edge := int64(k)<<(25-bits) - 1<<24
	return limit(floorDiv((edge-m.Mean)*512, max(m.Std, 1)))
}

// limit cuts z to where curves end.
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
