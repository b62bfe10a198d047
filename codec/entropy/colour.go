package entropy

import (
	"math"

	"github.com/coclico/coclico/codec/rangecoder"
	"github.com/coclico/coclico/codec/stream"
)

// A Model predicts the samples of a plane. It is numbers; see the package comment for what is done with them.
type Model struct {
	Weights  [positions][features]int16 // in 1/1024
	Scale    [positions]int8            // these three are added
	Activity [activities]int8
	Cross    [crossings]int8
}

// predict returns the distribution of a sample of bits bits.
func (m *Model) predict(ctx *Context, bits int) distribution {
	sum := 0
	for i, f := range ctx.Features {
		sum += int(m.Weights[ctx.Position][i]) * f
	}
	scale := int(m.Scale[ctx.Position]) + int(m.Activity[ctx.Activity]) + int(m.Cross[ctx.Cross])
	return distribution{sum >> 7, int(inverseScales[min(max(scale, 0), len(inverseScales)-1)]), bits}
}

// A distribution is that of a sample's code: mean in 1/4096 with 1/2 as 0, and the inverse of its scale.
type distribution struct{ mean, inverse, bits int }

// below returns the probability, in 1/65536, of the codes less than k, 0 <= k <= 2^bits. It grows with k by at least 1.
func (d distribution) below(k int) uint32 {
	edge := k<<(12-d.bits) - 2048
	z := (edge - d.mean) * d.inverse >> 8
	return share(&colourCurve, z, k, d.bits)
}

// find returns the code whose interval contains v.
func (d distribution) find(v uint32) int {
	lo, hi := 0, 1<<d.bits // below(lo) <= v < below(hi)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; d.below(mid) <= v {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// share returns the probability of the first k of 2^bits symbols if curve at z is what the distribution has there. Each
// symbol has at least 128/2^bits of 65536, rounded down, and at least 1.
func share(curve *[curveSize]uint16, z, k, bits int) uint32 {
	least := max(128>>bits, 1)
	switch k {
	case 0:
		return 0
	case 1 << bits:
		return 1 << rangecoder.ProbBits
	}
	free := uint64(1<<rangecoder.ProbBits - least<<bits)
	return uint32(k*least) + uint32(uint64(at(curve, z))*free>>rangecoder.ProbBits)
}

const curveSize = 129

// at returns a cumulative distribution that is symmetric about 0, in 1/65536, from its positive half: the entries are for
// z = 0, 16, 32, ..., and between them it is linear.
func at(curve *[curveSize]uint16, z int) uint32 {
	if z < 0 {
		return 1<<rangecoder.ProbBits - at(curve, -z)
	}
	i := z >> 4
	if i >= curveSize-1 {
		return uint32(curve[curveSize-1])
	}
	lo, hi := uint32(curve[i]), uint32(curve[i+1])
	return lo + (hi-lo)*uint32(z&15)>>4
}

// WriteColour codes a colour map of n x n samples of bits bits.
func WriteColour(e *rangecoder.Encoder, c stream.Colour, n, bits int, profile int) {
	models := modelsFor(profile, bits)
	Samples(c, n, bits, func(plane int, ctx *Context, code uint8) uint8 {
		d := models[plane].predict(ctx, bits)
		e.Encode(d.below(int(code)), d.below(int(code)+1))
		return code
	})
}

// ReadColour reads what WriteColour wrote.
func ReadColour(d *rangecoder.Decoder, n, bits int, profile int) stream.Colour {
	models := modelsFor(profile, bits)
	c := stream.Colour{Y: make([]uint8, n*n), U: make([]uint8, n*n/4), V: make([]uint8, n*n/4)}
	Samples(c, n, bits, func(plane int, ctx *Context, _ uint8) uint8 {
		p := models[plane].predict(ctx, bits)
		code := p.find(d.Peek())
		d.Skip(p.below(code), p.below(code+1))
		return uint8(code)
	})
	return c
}

// maxBits is the number of bits from which on samples are so fine that one model serves.
const maxBits = 5

func modelsFor(profile, bits int) *[planes]Model {
	return &colourModels[profile][min(bits, maxBits)-1]
}

// Cost returns the bits that a code takes. It is for measuring: the coder has no floating-point numbers.
func Cost(profile, plane int, ctx *Context, bits int, code uint8) float64 {
	d := modelsFor(profile, bits)[plane].predict(ctx, bits)
	return rangecoder.ProbBits - math.Log2(float64(d.below(int(code)+1)-d.below(int(code))))
}

// ColourBits returns the bits that a colour map takes.
func ColourBits(c stream.Colour, n, bits, profile int) float64 {
	sum := 0.0
	Samples(c, n, bits, func(plane int, ctx *Context, code uint8) uint8 {
		sum += Cost(profile, plane, ctx, bits, code)
		return code
	})
	return sum
}
