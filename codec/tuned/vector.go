package tuned

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/coclico/coclico/codec/stream"
)

// MaxBits is the largest number of bits of a dimension.
const MaxBits = 5

// losses are the mean square errors that are left of a normal value of deviation 1 after so many bits, measured.
var losses = [MaxBits + 1]float64{1, 0.276, 0.0707, 0.0185, 0.0052, 0.0016}

// gains are the square roots of what each bit takes of it, in 1/65536.
var gains = [MaxBits]int64{55764, 29694, 14975, 7556, 3932}

// Loss returns about how much of a dimension's mean square error is left after so many bits.
func Loss(bits int) float64 { return losses[bits] }

// Allocate returns the bits of each dimension, total in all, from the dimensions' deviations in any unit, at most 2^40: of
// all pairs of a dimension and one of its five bits, the total that take most from the mean square error, the earlier
// dimension before the later where that is the same.
func Allocate(deviations []int64, total int) []uint8 {
	type pair struct {
		gain      int64
		dimension int
	}
	pairs := make([]pair, 0, MaxBits*len(deviations))
	for i, d := range deviations {
		for _, g := range gains {
			pairs = append(pairs, pair{max(d, 0) * g, i})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if a.gain != b.gain {
			return cmp.Compare(b.gain, a.gain)
		}
		return a.dimension - b.dimension
	})
	bits := make([]uint8, len(deviations))
	for _, p := range pairs[:total] {
		bits[p.dimension]++
	}
	return bits
}

// SpreadBits is how many bits a file has for how far a picture's vector is from the mean.
const SpreadBits = 2

// Spread returns what the model's deviations are multiplied by, for s from 0 to 3: 2^((1-s)/4).
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
		return math.Abs(math.Sqrt(own/all) - float64(Spread(s))) // NaN: of no deviations
	}
	for s := range uint8(1 << SpreadBits) {
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

// levels returns what each state stands for, in deviations from the mean: the quantiles of the normal distribution in an
// order in which neighbours, and states that share their first or last bits, are far apart.
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

// scale returns what the levels of a dimension of so many bits are multiplied by.
func scale(bits uint8) float32 {
	if bits == 1 {
		return 0.875
	}
	return 1
}

// DequantiseVector sets x to what codes stand for.
func DequantiseVector(x []float32, codes []uint16, mean, deviation []float32, bits []uint8) {
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

// QuantiseVector sets codes to the string of bits that loses least of x, by Viterbi's algorithm: for each state after each
// dimension, the best of the strings that end in it. It returns an UnsupportedError if x holds a NaN.
func QuantiseVector(codes []uint16, x, mean, deviation []float32, bits []uint8) error {
	level := levels()
	cost, next := make([]float32, states), make([]float32, states)
	for s := 1; s < states; s++ {
		cost[s] = math.MaxFloat32 // no string yet
	}
	dropped := make([][]uint8, len(x)) // the bits that the best string's state loses, by those that it keeps
	for i, v := range x {
		if v != v {
			return stream.UnsupportedError("an embedding with a value that is not a number")
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

// finite returns x limited to where a sum of squares still tells levels apart; values of a CLIP vector are near 1.
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

// Unit is the unit of 2^-24 that every float16 is a whole number of, as a float32: n of them are float32(n)*Unit, exactly.
const Unit = 1.0 / (1 << 24)

// Cosine returns the cosine of the angle between two vectors.
func Cosine(x, y []float32) float64 {
	var xy, xx, yy float64
	for i := range x {
		a, b := float64(x[i]), float64(y[i])
		xy, xx, yy = xy+float64(a*b), xx+float64(a*a), yy+float64(b*b)
	}
	return xy / math.Sqrt(xx*yy)
}
