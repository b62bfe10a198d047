//go:build !purego

package kernels

// gemmAVX2 multiplies float32 in tiles of 6 rows by 16 columns.
var gemmAVX2 = &gemm{form: formF32, mr: 6, nr: 16, single: true, loops: []func(*strip){runAVX2}, peak: peakAVX2, peakFLOP: 12 * 8 * 2}

var implAVX2 = &impl{
	name:      "avx2",
	available: hasAVX2,
	fast:      gemmAVX2,
	exact:     gemmAVX2,
	vec:       vecAVX2,
}

// runAVX2 computes what runF32 computes, with mr = 6 and nr = 16, but for the
// rounding of the products.
//
//go:noescape
func runAVX2(s *strip)

// peakAVX2 runs n rounds of 12 products that depend on nothing in memory.
//
//go:noescape
func peakAVX2(n int)
