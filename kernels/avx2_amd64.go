//go:build !purego

package kernels

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// implAVX2 uses AVX2, FMA and F16C.
var implAVX2 = &impl{
	name:      "avx2",
	available: hasAVX2,
	gemms:     [NumPrecisions]*gemm{Exact: gemmAVX2, Fast: gemmAVX2},
	vec:       vecAVX2,
}

func hasAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C }

// gemmAVX2 multiplies float32 in tiles of 6 rows by 16 columns.
var gemmAVX2 = &gemm{
	form: formF32.with(narrowAVX2, encodeAVX2), mr: 6, nr: 16, single: true,
	loops: []func(*strip){runAVX2},
	peak:  peakAVX2, peakFLOP: 12 * 8 * 2,
}

var vecAVX2 = &vec{loops{
	finish:  finishAVX2,
	gate:    gateAVX2,
	sums:    sumsAVX2,
	affine:  affineAVX2,
	rescale: rescaleAVX2,
	toF32:   toF32AVX2,
	hamming: hammingAVX2,
	rowLoops: rowLoops{
		sigmoid: func(x []float32, rate float64) { sigmoidAVX2(x, float32(rate)) },
		gelu:    geluAVX2,
		moments: func(x []float32, ref float32) (float64, float64) {
			sum, sq := momentsAVX2(x, ref)
			return float64(sum), float64(sq)
		},
		normalize: func(dst, x, weight, bias []float32, ref float32, rest, inv float64) {
			normalizeAVX2(dst, x, weight, bias, ref, float32(inv), float32(-rest*inv))
		},
		rowMax:  rowMaxAVX2,
		exp2Sum: exp2SumAVX2,
	},
	winograd:       &winogradLoops{winogradInputAVX2, winogradWeightsAVX2, winogradOutputAVX2},
	winogradUp:     &winogradLoops{winogradUpInputAVX2, winogradUpWeightsAVX2, winogradUpOutputAVX2},
	transposeWords: transposeWordsAVX2,
}}

func narrowAVX2(_ *form, dst unsafe.Pointer, pitch, _ int, src *float32, lds, rows, cols int) {
	finishAVX2((*float32)(dst), pitch/4, src, lds, rows, cols, nil, nil, 0)
}

func encodeAVX2(_ *form, dst, src []byte, dt DType, _ int) { toF32AVX2(float32s(dst), src, dt) }

// toF32AVX2 computes what toF32Generic computes.
func toF32AVX2(dst []float32, src []byte, dt DType) {
	n := len(dst) &^ 7
	if n > 0 {
		_ = src[n*dt.Size()-1]
		switch dt {
		case F16:
			f16AVX2(&dst[0], &src[0], n)
		case BF16:
			bf16AVX2(&dst[0], &src[0], n)
		default:
			copy(dst[:n], unsafe.Slice((*float32)(unsafe.Pointer(&src[0])), n))
		}
	}
	toF32Generic(dst[n:], src[n*dt.Size():], dt)
}

// hammingAVX2 computes what hammingGeneric computes.
func hammingAVX2(dst []uint16, query, codes []uint64) {
	blocksOf(4, dst, query, codes, hammingQuadsAVX2)
}

// runAVX2 computes what runF32 computes with mr = 6 and nr = 16, except that
// products are not rounded before they are added.
//
//go:noescape
func runAVX2(s *strip)

// peakAVX2 runs n rounds of 12 multiplications that depend on nothing in
// memory.
//
//go:noescape
func peakAVX2(n int)

// finishAVX2 computes what finishGeneric computes, bit for bit.
//
//go:noescape
func finishAVX2(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)

// gateAVX2 computes what gateGeneric computes.
//
//go:noescape
func gateAVX2(c *float32, ld, rows, half int)

// sumsAVX2 computes what sumsGeneric computes, except that squares are not
// rounded before they are added.
//
//go:noescape
func sumsAVX2(sum, sq, ref, x []float32)

// affineAVX2 computes what affineGeneric computes, except that products are
// not rounded before they are added.
//
//go:noescape
func affineAVX2(dst, x, scale, shift []float32, silu bool)

// rescaleAVX2 computes what rescaleGeneric computes, except that products are
// not rounded before they are added.
//
//go:noescape
func rescaleAVX2(o, part, factor *float32, rows, width int)

// sigmoidAVX2 computes what sigmoidGeneric computes, except that it is -0 where the
// exponential overflows: what is lost is below 2^-120.
//
//go:noescape
func sigmoidAVX2(x []float32, rate float32)

// geluAVX2 computes what geluGeneric computes, except for -Inf, which becomes 0 and
// not a NaN.
//
//go:noescape
func geluAVX2(x []float32)

// momentsAVX2 computes what momentsGeneric computes, in float32.
//
//go:noescape
func momentsAVX2(x []float32, ref float32) (sum, sq float32)

// normalizeAVX2: dst = ((x-ref)*inv + shift)*weight + bias. All slices have x's
// length.
//
//go:noescape
func normalizeAVX2(dst, x, weight, bias []float32, ref, inv, shift float32)

// rowMaxAVX2 returns the largest element of a row whose length is a multiple of 32,
// and passes over NaNs.
//
//go:noescape
func rowMaxAVX2(x []float32) float32

// exp2SumAVX2 computes what exp2SumGeneric computes, for a row whose length is a
// multiple of 32.
//
//go:noescape
func exp2SumAVX2(dst, x []float32, scale, top float32) float32

// winogradInputAVX2, winogradWeightsAVX2 and winogradOutputAVX2 compute what
// winogradGeneric computes, except that products are not rounded before they
// are added.
//
//go:noescape
func winogradInputAVX2(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradWeightsAVX2(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradOutputAVX2(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)

// winogradUpInputAVX2, winogradUpWeightsAVX2 and winogradUpOutputAVX2 compute
// what winogradUpGeneric computes, bit for bit.
//
//go:noescape
func winogradUpInputAVX2(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradUpWeightsAVX2(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradUpOutputAVX2(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)

// f16AVX2 and bf16AVX2 widen n elements, a multiple of 8, as element does.
//
//go:noescape
func f16AVX2(dst *float32, src *byte, n int)

//go:noescape
func bf16AVX2(dst *float32, src *byte, n int)

// hammingQuadsAVX2 computes what hammingGeneric computes, of blocks of 4 codes.
//
//go:noescape
func hammingQuadsAVX2(dst *uint16, query, codes *uint64, words, blocks int)

// transposeWordsAVX2 is loops.transposeWords.
//
//go:noescape
func transposeWordsAVX2(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)
