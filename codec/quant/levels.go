package quant

import (
	"math"
	"sync"

	"github.com/coclico/coclico/codec/format"
)

// losses are the mean square errors that remain of a normal variable of
// deviation 1 after so many bits, measured.
var losses = [format.MaxTunedBits + 1]float64{1, 0.276, 0.0707, 0.0185, 0.0052, 0.0016}

// Loss returns about how much of a dimension's mean square error remains after
// so many bits.
func Loss(bits int) float64 { return losses[bits] }

// Spread returns the factor 2^((1-s)/4) of the model's deviations, for s from 0
// to 3.
func Spread(s uint8) float32 { return [...]float32{1.1892071, 1, 0.8408964, 0.70710678}[s] }

// NearestSpread returns the spread that is nearest to a vector's own.
func NearestSpread(x, mean, deviation []float32) uint8 {
	var own, all float64
	for i, v := range x {
		d := float64(finite(v - mean[i]))
		own, all = own+float64(d*d), all+float64(deviation[i])*float64(deviation[i])
	}
	best := uint8(0)
	distance := func(s uint8) float64 {
		return math.Abs(math.Sqrt(own/all) - float64(Spread(s))) // NaN without deviations
	}
	for s := range uint8(1 << format.SpreadBits) {
		if distance(s) < distance(best) {
			best = s
		}
	}
	return best
}

// A state is the last 12 bits of the vector's string.
const (
	stateBits = 12
	states    = 1 << stateBits
)

// levels returns what each state stands for, in deviations from the mean: the
// quantiles of the normal distribution, in an order in which neighbors, and
// states that share their first or last bits, are far apart.
var levels = sync.OnceValue(func() *[states]float32 {
	var l [states]float32
	for s := range l {
		j := s * 1229 % states
		j ^= j >> 7
		j = j * 3313 % states
		j ^= j >> 6
		l[s] = float32(math.Sqrt2 * math.Erfinv(2*(float64(j)+0.5)/states-1))
	}
	return &l
})

// scale returns the factor of the levels of a dimension of so many bits.
func scale(bits uint8) float32 {
	if bits == 1 {
		return 0.875
	}
	return 1
}
