//go:build !purego

package kernels

import (
	"sync"

	"golang.org/x/sys/cpu"
)

// The AMX implementation multiplies bfloat16 in tiles of 16 rows of 64 bytes.
// Fast operands are bfloat16, exact ones three of them.
var (
	gemmAMX      = &gemm{form: formBF16, mr: 32, nr: 32, vnni: true, loops: amxLoops, attend: attendAMX, peak: peakAMX, peakFLOP: 4 * 2 * 16 * 16 * 32}
	gemmAMXExact = &gemm{form: formBF16x3, mr: 32, nr: 32, vnni: true, loops: amxLoops, peak: peakAMX, peakFLOP: 4 * 2 * 16 * 16 * 32}
)

// amxLoops are two ways to the same bits. With the core to itself the first
// reaches 16 cycles a product, the products' own rate, and needs a third fewer
// loads. But on the shared machine of this project the same code, on the same
// data in L1, falls for seconds at a time to 62 cycles a product while the
// register-only loop stays at 16. What then counts is how many tile registers
// a loop names, as if few were left to rename them:
//
//	tiles named           8    7    6    5    4    3    (cycles a product, L1)
//	undisturbed          16   16   16   16   16   16.5
//	disturbed            62   45   39   31   29   29
//	disturbed, zeroed    36        30        28   28
//
// "Zeroed" is with A and B zeroed after their last product. Loads alone are not
// disturbed (8 cycles each), and what fits all numbers is that some 7 registers
// are left: each load and each product takes one for about 48 cycles, and those
// of C are taken for good. Other orders of the same loads and products, with one
// or two registers for A, make no difference of more than a cycle.
//
// So a piece of work times both and goes on with the better one.
var amxLoops = []func(*strip){runAMX, runAMXNarrow}

var implAMX = &impl{
	name:      "amx",
	available: hasAMX,
	fast:      gemmAMX,
	exact:     gemmAMXExact,
	vec:       vecAMX,
}

// vecAMX is AVX-512's, with the softmax that writes bfloat16.
var vecAMX = func() *vec {
	v := *vecAVX512BF16
	v.softmax = func(b *softmaxBlock) {
		if b.form == formBF16 {
			softmaxBF16(b)
			return
		}
		softmaxAVX512(b)
	}
	return &v
}()

// hasAMX reports whether the processor has AMX and bfloat16 tiles and AVX-512
// for the loops beside them, and the operating system lets us use them.
var hasAMX = sync.OnceValue(func() bool {
	return hasAVX512BF16() && cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && requestAMX()
})

// runAMX computes what runBF16 computes, with mr = nr = 32.
//
//go:noescape
func runAMX(s *strip)

// runAMXNarrow computes what runBF16 computes, with mr = nr = 32.
//
//go:noescape
func runAMXNarrow(s *strip)

// peakAMX runs n steps of products on tiles that are already loaded.
//
//go:noescape
func peakAMX(n int)

// softmaxBF16 computes what softmaxGeneric computes for formBF16.
//
//go:noescape
func softmaxBF16(b *softmaxBlock)

// rescaleAVX512 computes what rescaleGeneric computes.
//
//go:noescape
func rescaleAVX512(o, part, factor *float32, rows, width int)
