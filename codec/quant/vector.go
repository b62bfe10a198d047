package quant

import (
	"math"

	"github.com/coclico/coclico/codec/format"
)

// unit is the unit of [format.Moment], 2^-24: n units are float32(n)*unit,
// exactly for the moments of a float16.
const unit = 1.0 / (1 << 24)

// Moments returns the means of a model's vectors and their deviations times the
// spread of header h.
func Moments(h format.Header, p format.Prior) (mean, deviation []float32) {
	for _, m := range p.Moments {
		mean = append(mean, float32(m.Mean)*unit)
		deviation = append(deviation, float32(m.Std)*unit*Spread(h.Spread))
	}
	return mean, deviation
}

// Vector returns the CLIP vector that the codes of a file stand for.
func Vector(h format.Header, codes []uint16, p format.Prior) []float32 {
	x := make([]float32, len(codes))
	if h.Profile == format.Paper {
		DequantizePaperVector(x, codes, h.DimensionBits)
		return x
	}
	mean, deviation := Moments(h, p)
	dequantizeTunedVector(x, codes, mean, deviation, h.Allocation(p))
	return x
}

const errNaN = format.UnsupportedError("vector with a value that is not a number")

// QuantizePaperVector sets codes[i] to the code of x[i]. Values outside [-1,
// 1], infinities too, are clamped to it, and 1 belongs to the top level. It
// returns a [format.UnsupportedError] if x holds a NaN, which has no code.
//
// The step is a power of two: division by it is exact, and nothing rounds but
// floor.
func QuantizePaperVector(codes []uint16, x []float32, bits int) error {
	checkVector(codes, x, bits)
	half := float64(int(1) << (bits - 1)) // 1/q
	for i, v := range x {
		if v != v {
			return errNaN
		}
		k := math.Floor(min(max(float64(v), -1), 1) * half)
		codes[i] = uint16(min(k, half-1) + half)
	}
	return nil
}

// DequantizePaperVector sets x[i] to the middle of the level of codes[i],
// exactly.
func DequantizePaperVector(x []float32, codes []uint16, bits int) {
	checkVector(codes, x, bits)
	half := float32(int(1) << (bits - 1))
	for i, code := range codes {
		if int(code)>>bits != 0 {
			panic("quant: code out of range")
		}
		x[i] = (float32(code) - half + 0.5) / half
	}
}

func checkVector(codes []uint16, x []float32, bits int) {
	if bits < 1 || bits > format.MaxDimensionBits {
		panic("quant: bits of a dimension outside 1 to 16")
	}
	if len(codes) != len(x) {
		panic("quant: as many codes as values are needed")
	}
}

// dequantizeTunedVector sets x to what codes stand for.
func dequantizeTunedVector(x []float32, codes []uint16, mean, deviation []float32, bits []uint8) {
	level := levels()
	state := 0
	for i := range x {
		x[i] = mean[i]
		if bits[i] > 0 {
			state = (state<<bits[i] | int(codes[i])) % states
			x[i] += float32(deviation[i] * float32(level[state]*scale(bits[i])))
		}
	}
}

// QuantizeTunedVector sets codes to the string of bits that loses least of x,
// by Viterbi's algorithm: for each state after each dimension, the best of the
// strings that end in it. It returns a [format.UnsupportedError] if x holds a
// NaN.
func QuantizeTunedVector(codes []uint16, x, mean, deviation []float32, bits []uint8) error {
	level := levels()
	cost, next := make([]float32, states), make([]float32, states)
	for s := 1; s < states; s++ {
		cost[s] = math.MaxFloat32 // no string yet
	}
	dropped := make([][]uint8, len(x)) // the bits that the best string's state loses, by those that it keeps
	for i, v := range x {
		if v != v {
			return errNaN
		}
		if bits[i] > 0 {
			dropped[i] = step(next, cost, level, finite(v-mean[i]), deviation[i], bits[i])
			cost, next = next, cost
		}
	}
	state := 0
	for s, c := range cost {
		if c < cost[state] {
			state = s
		}
	}
	for i := len(x) - 1; i >= 0; i-- {
		codes[i] = 0
		if n := bits[i]; n > 0 {
			codes[i] = uint16(state & (1<<n - 1))
			kept := state >> n
			state = int(dropped[i][kept])<<(stateBits-n) | kept
		}
	}
	return nil
}

// finite clamps x to where a sum of squares still tells levels apart; values of
// a CLIP vector are near 1.
func finite(x float32) float32 { return min(max(x, -1e3), 1e3) }

// step sets next to the costs after a dimension of value v about its mean.
func step(next, cost []float32, level *[states]float32, v, deviation float32, bits uint8) []uint8 {
	keep := states >> bits
	dropped := make([]uint8, keep)
	width := deviation * scale(bits)
	for k := range keep {
		best := 0
		least := cost[k]
		for h := 1; h < 1<<bits; h++ {
			if c := cost[h*keep+k]; c < least {
				best, least = h, c
			}
		}
		dropped[k] = uint8(best)
		for s := k << bits; s < (k+1)<<bits; s++ {
			d := v - float32(width*level[s])
			next[s] = least + float32(d*d)
		}
	}
	return dropped
}
