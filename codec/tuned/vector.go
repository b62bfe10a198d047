package tuned

import (
	"cmp"
	"math"
	"slices"

	"github.com/coclico/coclico/codec/stream"
)

// MaxBits is the largest number of bits of a dimension.
const MaxBits = 6

// Allocate returns the bits of each dimension, total in all, from the dimensions' deviations in any unit, at most 2^40: of
// all pairs of a dimension and one of its six bits, the total that take most from the mean square error, the earlier
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

// Edge returns the lower edge of part k of 2^bits, 0 < k < 2^bits, in 1/512 of the deviation from the mean.
func Edge(bits, k int) int {
	half := 1 << (bits - 1)
	if k < half {
		return -int(edges[bits-1][half-k])
	}
	return int(edges[bits-1][k-half])
}

// Level returns what part k of 2^bits stands for, in deviations from the mean. No bits stand for the mean.
func Level(bits, k int) float32 {
	if bits == 0 {
		return 0
	}
	half := 1 << (bits - 1)
	if k < half {
		return -float32(levels[bits-1][half-1-k]) / 4096
	}
	return float32(levels[bits-1][k-half]) / 4096
}

// QuantiseVector sets codes to those of x. It returns an UnsupportedError if x holds a NaN.
func QuantiseVector(codes []uint16, x, mean, deviation []float32, bits []uint8) error {
	for i, v := range x {
		z := float64(v-mean[i]) / float64(deviation[i]) * 512
		switch {
		case v != v:
			return stream.UnsupportedError("an embedding with a value that is not a number")
		case !(deviation[i] > 0):
			z = 0
		}
		n := int(bits[i])
		k := 0
		for k+1 < 1<<n && float64(Edge(n, k+1)) <= z {
			k++
		}
		codes[i] = uint16(k)
	}
	return nil
}

// DequantiseVector sets x to what codes stand for.
func DequantiseVector(x []float32, codes []uint16, mean, deviation []float32, bits []uint8) {
	for i := range x {
		x[i] = mean[i] + float32(deviation[i]*Level(int(bits[i]), int(codes[i])))
	}
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
