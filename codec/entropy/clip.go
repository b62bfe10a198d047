package entropy

import "github.com/coclico/coclico/codec/rangecoder"

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
	moments []Moment
	bits    []uint8 // of each dimension
}

// UniformVector returns that of the paper: [-1, 1] in 2^bits equal parts.
func UniformVector(moments []Moment, bits int) Vector {
	v := Vector{moments, make([]uint8, len(moments))}
	for i := range v.bits {
		v.bits[i] = uint8(bits)
	}
	return v
}

// Bits returns the bits of the code of dimension i.
func (v Vector) Bits(i int) int { return int(v.bits[i]) }

// modelled is the number of a code's first bits that have a model; the rest are equally probable.
const modelled = 4

// Write codes the codes of a vector.
func (v Vector) Write(e *rangecoder.Encoder, codes []uint16) {
	for i, code := range codes {
		bits := min(v.Bits(i), modelled)
		rest := v.Bits(i) - bits
		k := int(code) >> rest
		e.Encode(v.below(i, k, bits), v.below(i, k+1, bits))
		if rest > 0 {
			e.Bits(uint32(code)&(1<<rest-1), rest)
		}
	}
}

// Read reads what Write wrote.
func (v Vector) Read(d *rangecoder.Decoder, codes []uint16) {
	for i := range codes {
		bits := min(v.Bits(i), modelled)
		rest := v.Bits(i) - bits
		k, at := 0, d.Peek()
		for v.below(i, k+1, bits) <= at {
			k++
		}
		d.Skip(v.below(i, k, bits), v.below(i, k+1, bits))
		codes[i] = uint16(k << rest)
		if rest > 0 {
			codes[i] |= uint16(d.Bits(rest))
		}
	}
}

// below returns the probability, in 1/65536, of the first k of 2^bits codes of dimension i.
func (v Vector) below(i, k, bits int) uint32 {
	if k == 0 || k == 1<<bits {
		return share(&gaussCurve, 0, k, bits) // 0 or 1, whatever the edge
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
