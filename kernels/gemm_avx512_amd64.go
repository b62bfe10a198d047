//go:build !purego

package kernels

// gemmAVX512 multiplies float32 in tiles of 14 rows by 32 columns.
var gemmAVX512 = &gemm{form: formF32, mr: 14, nr: 32, single: true, loops: []func(*strip){runAVX512}, peak: peakAVX512, peakFLOP: 28 * 16 * 2}

var implAVX512 = &impl{
	name:      "avx512",
	available: hasAVX512,
	fast:      gemmAVX512,
	exact:     gemmAVX512,
	vec:       vecAVX512,
}

// runAVX512 computes what runF32 computes, with mr = 14 and nr = 32, but for
// the rounding of the products.
//
//go:noescape
func runAVX512(s *strip)

// peakAVX512 runs n rounds of 28 products that depend on nothing in memory.
//
//go:noescape
func peakAVX512(n int)
