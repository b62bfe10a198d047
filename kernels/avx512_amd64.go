//go:build !purego

package kernels

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// implAVX512 uses AVX-512 F, BW, DQ and VL, which every machine with
// AVX-512 has had since Skylake-X.
var implAVX512 = &impl{
	name:      "avx512",
	available: hasAVX512,
	gemms:     [NumPrecisions]*gemm{Exact: gemmAVX512, Fast: gemmAVX512},
	vec:       vecAVX512,
}

func hasAVX512() bool {
	x := &cpu.X86
	return hasAVX2() && x.HasAVX512 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL
}

// gemmAVX512 multiplies float32 in tiles of 14 rows by 32 columns.
var gemmAVX512 = &gemm{
	form: formF32.with(narrowF32AVX512, encodeF32AVX512), mr: 14, nr: 32, single: true,
	loops: []func(*strip){runAVX512}, softmax: softmaxAVX512,
	peak: peakAVX512, peakFLOP: 28 * 16 * 2,
}

var vecAVX512 = &vec{loops{
	finish:  finishAVX512,
	gate:    gateAVX512,
	sums:    sumsAVX512,
	affine:  affineAVX512,
	rescale: rescaleAVX512,
	toF32:   toF32AVX512,
	hamming: hammingAVX512,
	rowLoops: rowLoops{
		sigmoid: func(x []float32, rate float64) { sigmoidAVX512(x, float32(rate)) },
		gelu:    geluAVX512,
		moments: func(x []float32, ref float32) (float64, float64) {
			sum, sq := momentsAVX512(x, ref)
			return float64(sum), float64(sq)
		},
		normalize: func(dst, x, weight, bias []float32, ref float32, rest, inv float64) {
			normalizeAVX512(dst, x, weight, bias, ref, float32(inv), float32(-rest*inv))
		},
		rowMax:  rowMaxAVX512,
		exp2Sum: exp2SumAVX512,
	},
	winograd:       &winogradLoops{winogradInputAVX512, winogradWeightsAVX512, winogradOutputAVX512},
	winogradUp:     &winogradLoops{winogradUpInputAVX512, winogradUpWeightsAVX512, winogradUpOutputAVX512},
	transpose:      transposeAVX512,
	transposeWords: transposeWordsAVX2,
	interleave:     interleaveAVX512,
	sortTaps:       sortTapsAVX512,
}}

func narrowF32AVX512(_ *form, dst unsafe.Pointer, pitch, _ int, src *float32, lds, rows, cols int) {
	finishAVX512((*float32)(dst), pitch/4, src, lds, rows, cols, nil, nil, 0)
}

func encodeF32AVX512(_ *form, dst, src []byte, dt DType, _ int) { toF32AVX512(float32s(dst), src, dt) }

// toF32AVX512 computes what toF32Generic computes.
func toF32AVX512(dst []float32, src []byte, dt DType) {
	if len(dst) == 0 {
		return
	}
	_ = src[len(dst)*dt.Size()-1]
	switch dt {
	case F16:
		f16AVX512(&dst[0], &src[0], len(dst))
	case BF16:
		bf16AVX512(&dst[0], &src[0], len(dst))
	default:
		copy(dst, unsafe.Slice((*float32)(unsafe.Pointer(&src[0])), len(dst)))
	}
}

// hammingAVX512 computes what hammingGeneric computes. AVX512_VPOPCNTDQ, which
// counts the bits of a word in one instruction, came later than the features
// that [hasAVX512] asks for.
func hammingAVX512(dst []uint16, query, codes []uint64) {
	loop := hammingBytesAVX512
	if cpu.X86.HasAVX512VPOPCNTDQ {
		loop = hammingWordsAVX512
	}
	blocksOf(8, dst, query, codes, loop)
}

// narrowBF16AVX512 computes what narrowBF16 computes.
func narrowBF16AVX512(f *form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	splitAVX512(dst, pitch, planeBytes, f.planes, src, lds, rows, cols)
}

// encodeBF16AVX512 computes what encodeBF16 computes, except for the payload
// of NaNs. Exact products with AMX encode float16 in two planes while they run.
// Everything else is widened into a buffer that stays in L1 and then split.
func encodeBF16AVX512(_ *form, dst, src []byte, dt DType, planes int) {
	if dt == F16 && planes == 2 && len(dst) > 0 {
		_ = src[len(dst)/2-1]
		splitF16AVX512(&dst[0], &dst[len(dst)/2], &src[0], len(dst)/4)
		return
	}
	var buf [1024]float32
	n := len(dst) / 2 / planes
	for i := 0; i < n; i += len(buf) {
		b := buf[:min(len(buf), n-i)]
		toF32AVX512(b, src[i*dt.Size():], dt)
		splitAVX512(unsafe.Pointer(&dst[2*i]), 0, 2*n, planes, &b[0], 0, 1, len(b))
	}
}

// runAVX512 computes what runF32 computes with mr = 14 and nr = 32, except
// that products are not rounded before they are added.
//
//go:noescape
func runAVX512(s *strip)

// peakAVX512 runs n rounds of 28 multiplications that depend on nothing in
// memory.
//
//go:noescape
func peakAVX512(n int)

// finishAVX512 computes what finishGeneric computes, bit for bit.
//
//go:noescape
func finishAVX512(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)

// gateAVX512 computes what gateGeneric computes.
//
//go:noescape
func gateAVX512(c *float32, ld, rows, half int)

// sumsAVX512 computes what sumsGeneric computes, except that squares are not
// rounded before they are added.
//
//go:noescape
func sumsAVX512(sum, sq, ref, x []float32)

// affineAVX512 computes what affineGeneric computes, except that products are
// not rounded before they are added.
//
//go:noescape
func affineAVX512(dst, x, scale, shift []float32, silu bool)

// rescaleAVX512 computes what rescaleGeneric computes, except that products
// are not rounded before they are added.
//
//go:noescape
func rescaleAVX512(o, part, factor *float32, rows, width int)

// sigmoidAVX512 computes what sigmoidGeneric computes, except that it is -0 where the
// exponential overflows: what is lost is below 2^-120.
//
//go:noescape
func sigmoidAVX512(x []float32, rate float32)

// geluAVX512 computes what geluGeneric computes, except for -Inf, which becomes 0 and
// not a NaN.
//
//go:noescape
func geluAVX512(x []float32)

// momentsAVX512 computes what momentsGeneric computes, in float32.
//
//go:noescape
func momentsAVX512(x []float32, ref float32) (sum, sq float32)

// normalizeAVX512: dst = ((x-ref)*inv + shift)*weight + bias. All slices have x's
// length.
//
//go:noescape
func normalizeAVX512(dst, x, weight, bias []float32, ref, inv, shift float32)

// softmaxAVX512 computes what vec.softmax computes for float32.
//
//go:noescape
func softmaxAVX512(b *softmaxBlock)

// rowMaxAVX512 returns the largest element of a row whose length is a multiple of 32,
// and passes over NaNs.
//
//go:noescape
func rowMaxAVX512(x []float32) float32

// exp2SumAVX512 computes what exp2SumGeneric computes, for a row whose length is a
// multiple of 32.
//
//go:noescape
func exp2SumAVX512(dst, x []float32, scale, top float32) float32

// winogradInputAVX512, winogradWeightsAVX512 and winogradOutputAVX512 compute
// what winogradGeneric computes, except that products are not rounded before
// they are added.
//
//go:noescape
func winogradInputAVX512(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradWeightsAVX512(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradOutputAVX512(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)

// winogradUpInputAVX512, winogradUpWeightsAVX512 and winogradUpOutputAVX512
// compute what winogradUpGeneric computes, bit for bit.
//
//go:noescape
func winogradUpInputAVX512(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradUpWeightsAVX512(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradUpOutputAVX512(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)

// transposeAVX512 is loops.transpose.
//
//go:noescape
func transposeAVX512(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)

// interleaveAVX512 is loops.interleave.
//
//go:noescape
func interleaveAVX512(dst unsafe.Pointer, dstStep int, src unsafe.Pointer, stride, steps int)

// sortTapsAVX512 is loops.sortTaps.
//
//go:noescape
func sortTapsAVX512(dst, src unsafe.Pointer, stride, n int)

// f16AVX512 and bf16AVX512 widen n elements as element does.
//
//go:noescape
func f16AVX512(dst *float32, src *byte, n int)

//go:noescape
func bf16AVX512(dst *float32, src *byte, n int)

// splitAVX512 stores every src[r][c] in a number of planes, as narrowBF16 does,
// bit for bit.
//
//go:noescape
func splitAVX512(dst unsafe.Pointer, pitch, planeBytes, planes int, src *float32, lds, rows, cols int)

// splitF16AVX512 stores n float16 in two planes, as encodeBF16 does.
//
//go:noescape
func splitF16AVX512(high, low, src *byte, n int)

// hammingBytesAVX512 and hammingWordsAVX512 compute what hammingGeneric
// computes, of blocks of 8 codes. The latter needs AVX512_VPOPCNTDQ.
//
//go:noescape
func hammingBytesAVX512(dst *uint16, query, codes *uint64, words, blocks int)

//go:noescape
func hammingWordsAVX512(dst *uint16, query, codes *uint64, words, blocks int)
