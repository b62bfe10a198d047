package format

import (
	"cmp"
	"slices"
)

// MaxTunedBits is the largest number of bits of a dimension in the tuned
// profile.
const MaxTunedBits = 5

// gains are the square roots of the share of a normal variable's mean square
// error that each further bit removes, in 1/65536; see package quant.
var gains = [MaxTunedBits]int64{55764, 29694, 14975, 7556, 3932}

// Allocate divides total bits among dimensions with these deviations (in any
// unit, at most 2^40): of all pairs of a dimension and one of its five bits, it
// takes the total that remove most of the mean square error, the earlier
// dimension first where two remove the same.
func Allocate(deviations []int64, total int) []uint8 {
	type pair struct {
		gain      int64
		dimension int
	}
	pairs := make([]pair, 0, MaxTunedBits*len(deviations))
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
