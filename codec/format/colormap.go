package format

import "github.com/coclico/coclico/codec/format/rangecoder"

// A Predictor predicts the samples of a plane from their contexts.
type Predictor struct {
	Weights  [positions][features]int16 // in 1/1024
	Scale    [positions]int8            // these three are added
	Activity [activities]int8
	Cross    [crossings]int8
}

// predict returns the distribution of a sample of so many bits, whose levels lie
// half a step higher if half is 1.
func (p *Predictor) predict(ctx *Context, bits, half int) distribution {
	sum := 0
	for i, f := range ctx.Features {
		sum += int(p.Weights[ctx.Position][i]) * f
	}
	scale := int(p.Scale[ctx.Position]) + int(p.Activity[ctx.Activity]) + int(p.Cross[ctx.Cross])
	return distribution{sum >> 7, int(inverseScales[min(max(scale, 0), len(inverseScales)-1)]), bits, half}
}

// A distribution is that of a sample's code: its mean in 1/4096 with 1/2 as 0,
// and the inverse of its scale.
type distribution struct{ mean, inverse, bits, half int }

// below returns the probability, in 1/65536, of the codes below k, 0 <= k <=
// 2^bits. It grows with k by at least 1.
func (d distribution) below(k int) uint32 {
	edge := (2*k+d.half)<<(11-d.bits) - 2048
	z := (edge - d.mean) * d.inverse >> 8
	return share(&colorCurve, z, k, d.bits)
}

// share returns the probability of the first k of 2^bits symbols where the
// distribution has the value of curve at z. Each symbol gets at least 128/2^bits
// of 65536, rounded down, and at least 1.
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

// at returns a cumulative distribution that is symmetric about 0, in 1/65536,
// from its positive half: the entries are for z = 0, 16, 32, ..., and between
// them it is linear.
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

// colorMap runs through the map of a file with header h.
func (c coder) colorMap(m ColorMap, h Header) {
	p := predictorsFor(h.Profile, h.ColorBits)
	var d distribution
	below := func(k int) uint32 { return d.below(k) } // one for all samples: making one takes memory
	VisitSamples(m, h.Profile, h.MapSize, h.ColorBits, func(plane int, ctx *Context, code uint8) uint8 {
		d = p[plane].predict(ctx, h.ColorBits, half(h.Profile, plane, h.ColorBits))
		return uint8(c(int(code), 1<<h.ColorBits, below))
	})
}

// finest is the number of bits from which on samples are so fine that one set
// of predictors serves.
const finest = 5

func predictorsFor(profile Profile, bits int) *[planes]Predictor {
	return &predictors[profile][min(bits, finest)-1]
}

// PredictorOf returns the predictor of a plane.
func PredictorOf(profile Profile, bits, plane int) Predictor {
	return predictorsFor(profile, bits)[plane]
}

// Probability returns the probability, in 1/65536, that the coder gives to a
// code.
func Probability(profile Profile, plane int, ctx *Context, bits int, code uint8) uint32 {
	d := predictorsFor(profile, bits)[plane].predict(ctx, bits, half(profile, plane, bits))
	return d.below(int(code)+1) - d.below(int(code))
}

// Probabilities returns those of all codes of an n x n map, in order: the coder
// needs 16 - log2 of each in bits.
func (c ColorMap) Probabilities(profile Profile, n, bits int) []uint32 {
	all := make([]uint32, 0, n*n*3/2)
	VisitSamples(c, profile, n, bits, func(plane int, ctx *Context, code uint8) uint8 {
		all = append(all, Probability(profile, plane, ctx, bits, code))
		return code
	})
	return all
}
