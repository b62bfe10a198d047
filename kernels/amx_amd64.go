//go:build !purego

package kernels

import (
	"sync"

	"golang.org/x/sys/cpu"
)

// implAMX multiplies bfloat16 in tiles of 16 rows of 64 bytes. Operands are
// bfloat16 for fast products and three of them for exact ones. The loops over
// elements are AVX-512's.
var implAMX = &impl{
	name:      "amx",
	available: hasAMX,
	gemms:     [NumPrecisions]*gemm{Exact: gemmAMXExact, Fast: gemmAMX},
	vec:       vecAVX512,
}

// hasAMX reports whether the processor has AMX with bfloat16 tiles and AVX-512
// with bfloat16, and whether the operating system allows the use of tiles.
var hasAMX = sync.OnceValue(func() bool {
	return hasAVX512BF16() && cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && requestAMX()
})

var (
	gemmAMX = &gemm{
		form: formBF16.with(narrowAVX512BF16, encodeAVX512BF16), mr: 32, nr: 32, group: 2,
		linearPart: 8, convPart: 20,
		loops: amxLoops, adds: true, softmax: softmaxBF16, attend: attendAMX,
		peak: peakAMX, peakFLOP: 4 * 2 * 16 * 16 * 32,
	}
	gemmAMXExact = &gemm{
		form: formBF16x3.with(narrowBF16AVX512, encodeBF16AVX512), mr: 32, nr: 32, group: 2,
		linearPart: 16, convPart: 20,
		loops: amxLoops, adds: true,
		peak: peakAMX, peakFLOP: 4 * 2 * 16 * 16 * 32,
	}
)

// amxLoops are two ways to the same bits. With the core to itself the first
// reaches 16 cycles a product, the products' own rate, and needs a third fewer
// loads. But on the shared machine of this project the same code, on the same
// data in L1, falls for seconds at a time to 62 cycles a product while the
// register-only loop stays at 16. What counts then is how many tile registers
// a loop names, as if few were left to rename them:
//
//	tiles named           8    7    6    5    4    3    (cycles a product, L1)
//	undisturbed          16   16   16   16   16   16.5
//	disturbed            62   45   39   31   29   29
//	disturbed, zeroed    36        30        28   28
//
// "Zeroed" means that A and B are zeroed after their last product. Loads alone
// are not disturbed (8 cycles each). What fits all of these numbers is that
// some 7 registers are left: each load and each product takes one for about 48
// cycles, and those of C are taken for good. Other orders of the same loads and
// products, with one or two registers for A, make a difference of at most one
// cycle.
//
// So a piece of work times both and continues with the better one.
var amxLoops = []func(*strip){runAMX, runAMXNarrow}

// runAMX computes what runBF16 computes, with mr = nr = 32 and pairs of K.
//
//go:noescape
func runAMX(s *strip)

// runAMXNarrow computes what runAMX computes, bit for bit.
//
//go:noescape
func runAMXNarrow(s *strip)

// peakAMX runs n steps of products on tiles that are already loaded.
//
//go:noescape
func peakAMX(n int)

// attendAMX runs the stages of b; see attendStage.
//
//go:noescape
func attendAMX(b *attendBlock)
