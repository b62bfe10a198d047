//go:build !purego

package kernels

import (
	"math"
	"unsafe"
)

// meanInv returns the mean of n values and 1/sqrt(variance+eps), from the sums
// of x-ref and of its square. A ref near the mean makes float32 sums enough:
// what the first sum says of ref's own error is taken out again.
func meanInv(n int, ref, sum, sq, eps float32) (mean, inv float32) {
	d := float64(sum) / float64(n)
	variance := float64(sq)/float64(n) - d*d
	return float32(float64(ref) + d), float32(1 / math.Sqrt(max(variance, 0)+float64(eps)))
}

// softmaxPowers computes what softmaxGeneric computes, by loops over rows, of
// which exp2Sum takes powers of two: x = 2^(x*scale-max).
func softmaxPowers(b *softmaxBlock,
	narrow func(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int),
	rowMax func(x []float32) float32, exp2Sum func(x []float32, scale, max float32) float32) {
	m, sum, factor := row(b.max, 0, 0, b.rows), row(b.sum, 0, 0, b.rows), row(b.factor, 0, 0, b.rows)
	for r := range b.rows {
		x := row(b.scores, b.ld/4, r, b.cols)
		largest := max(m[r], rowMax(x)*b.scale)
		factor[r] = 1
		if largest != m[r] {
			factor[r] = float32(math.Exp2(float64(m[r] - largest)))
			m[r] = largest
		}
		sum[r] = sum[r]*factor[r] + exp2Sum(x, b.scale, largest)
	}
	narrow(b.form, b.probs, b.pitch, b.plane, b.scores, b.ld/4, b.rows, b.cols)
}
