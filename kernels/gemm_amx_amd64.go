//go:build !purego

package kernels

import (
	"sync"

	"golang.org/x/sys/cpu"
)

// The AMX implementation multiplies bfloat16 in tiles of 16 rows of 64 bytes.
// Fast operands are bfloat16, exact ones three of them.
var (
	gemmAMX      = &gemm{form: formBF16, mr: 32, nr: 32, vnni: true, run: runAMX}
	gemmAMXExact = &gemm{form: formBF16x3, mr: 32, nr: 32, vnni: true, run: runAMX}
)

var implAMX = &impl{
	name:      "amx",
	available: hasAMX,
	fast:      gemmAMX,
	exact:     gemmAMXExact,
	vec:       vecAMX,
}

// vecAMX is AVX-512's, with what bfloat16 operands need besides.
var vecAMX = func() *vec {
	v := *vecGeneric
	v.transpose, v.interleave = transposeAVX512, interleaveAVX512
	return &v
}()

// hasAMX reports whether the processor has AMX and bfloat16 tiles and AVX-512
// for the loops beside them, and the operating system lets us use them.
var hasAMX = sync.OnceValue(func() bool {
	return cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && requestAMX()
})

// runAMX computes what runBF16 computes, with mr = nr = 32.
//
//go:noescape
func runAMX(s *strip)

// peakAMX runs n steps of products on tiles that are already loaded.
//
//go:noescape
func peakAMX(n int)
