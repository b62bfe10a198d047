//go:build !purego

package kernels

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// implAVX512BF16 multiplies bfloat16 with AVX-512's dot products of pairs,
// except in convolutions: F(4x4,3x3) in float32 has a quarter of the products
// of a direct convolution, whose bfloat16 products are only twice as fast, and
// a thousandth of its error. The loops over elements are AVX-512's.
var implAVX512BF16 = &impl{
	name:      "avx512bf16",
	available: hasAVX512BF16,
	outdone:   slowAVX512BF16,
	gemms:     [NumPrecisions]*gemm{Exact: gemmAVX512, Fast: gemmAVX512BF16},
	convs:     &[NumPrecisions]*gemm{Exact: gemmAVX512, Fast: gemmAVX512},
	vec:       vecAVX512,
}

func hasAVX512BF16() bool { return hasAVX512() && cpu.X86.HasAVX512BF16 }

// slowAVX512BF16 reports whether VDPBF16PS runs at less than the rate of two
// float32 multiplications. Intel has left it at one in two cycles since its cores
// have AVX512_FP16 (Golden Cove, 2021) and tiles for bfloat16: 109 GFLOP/s where
// float32 has 218. There implAVX512 takes 13.4 seconds for an evaluation of Stable
// unCLIP's UNet, and implAVX512BF16 17.1. It matters where the operating system
// or a hypervisor denies the tiles.
func slowAVX512BF16() bool {
	const avx512FP16 = 1 << 23 // CPUID 7.0, EDX
	leaves, b, c, d := cpuid(0, 0)
	if leaves < 7 || b != 'G'|'e'<<8|'n'<<16|'u'<<24 || d != 'i'|'n'<<8|'e'<<16|'I'<<24 || c != 'n'|'t'<<8|'e'<<16|'l'<<24 {
		return false
	}
	_, _, _, d = cpuid(7, 0)
	return d&avx512FP16 != 0
}

// cpuid executes CPUID.
//
//go:noescape
func cpuid(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

// gemmAVX512BF16 multiplies bfloat16 in tiles of 14 rows by 32 columns. It
// reads the panels of gemmAMX.
var gemmAVX512BF16 = &gemm{
	form: formBF16.with(narrowAVX512BF16, encodeAVX512BF16), mr: 14, nr: 32, group: 2, single: true,
	loops:   []func(*strip){runAVX512BF16},
	softmax: softmaxBF16,
	peak:    peakAVX512BF16, peakFLOP: 28 * 16 * 4,
}

// narrowAVX512BF16 computes what narrowBF16 computes, except that numbers below
// 2^-126 become zero.
func narrowAVX512BF16(_ *form, dst unsafe.Pointer, pitch, _ int, src *float32, lds, rows, cols int) {
	convertAVX512BF16(dst, pitch, src, lds, rows, cols)
}

// encodeAVX512BF16 computes what encodeBF16 computes for one plane, except that
// numbers below 2^-126 become zero.
func encodeAVX512BF16(_ *form, dst, src []byte, dt DType, _ int) {
	var buf [1024]float32
	n := len(dst) / 2
	for i := 0; i < n; i += len(buf) {
		b := buf[:min(len(buf), n-i)]
		toF32AVX512(b, src[i*dt.Size():], dt)
		convertAVX512BF16(unsafe.Pointer(&dst[2*i]), 0, &b[0], 0, 1, len(b))
	}
}

// runAVX512BF16 computes what runBF16 computes with mr = 14, nr = 32 and pairs of
// K, except that products are not rounded before they are added, that of a pair
// the second is added first, and that numbers below 2^-126 count as zero.
//
//go:noescape
func runAVX512BF16(s *strip)

// peakAVX512BF16 runs n rounds of 28 multiplications that depend on nothing in
// memory.
//
//go:noescape
func peakAVX512BF16(n int)

// softmaxBF16 computes what vec.softmax computes for one plane of bfloat16.
//
//go:noescape
func softmaxBF16(b *softmaxBlock)

// convertAVX512BF16 stores floatToBF16 of every src[r][c] by VCVTNE2PS2BF16,
// which turns numbers below 2^-126 into zero.
//
//go:noescape
func convertAVX512BF16(dst unsafe.Pointer, pitch int, src *float32, lds, rows, cols int)
