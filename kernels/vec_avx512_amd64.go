//go:build !purego

package kernels

import (
	"math"
	"unsafe"
)

// vecAVX512 holds the loops over elements in AVX-512 F, BW, DQ and VL.
var vecAVX512 = &vec{
	finish:       finishAVX512,
	narrow:       narrowAVX512,
	activate:     activateAVX512,
	gate:         gateAVX512,
	sums:         sumsAVX512,
	affine:       affineAVX512,
	layerNorm:    layerNormAVX512,
	softmax:      softmaxAVX512,
	rescale:      rescaleAVX512,
	transpose:    transposeAVX512,
	interleave:   interleaveAVX512,
	sortTaps:     sortTapsAVX512,
	toF32:        toF32AVX512,
	toBF16:       toBF16Generic, // no product takes bfloat16 here
	splitWeights: splitWeightsAVX512,
}

// vecAVX512BF16 is vecAVX512 for machines that have AVX512_BF16.
var vecAVX512BF16 = func() *vec {
	v := *vecAVX512
	v.narrow, v.toBF16 = narrowAVX512BF16, toBF16AVX512BF16
	return &v
}()

// finishAVX512 computes what finishGeneric computes, bit for bit.
//
//go:noescape
func finishAVX512(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)

// splitAVX512 stores the first planes parts of splitBF16 of every src[r][c],
// bit for bit, planeBytes apart.
//
//go:noescape
func splitAVX512(dst unsafe.Pointer, pitch, planeBytes, planes int, src *float32, lds, rows, cols int)

// convertAVX512BF16 stores floatToBF16 of every src[r][c], by VCVTNE2PS2BF16,
// which makes zeros of numbers below 2^-126.
//
//go:noescape
func convertAVX512BF16(dst unsafe.Pointer, pitch int, src *float32, lds, rows, cols int)

func narrowAVX512(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	if f == formF32 {
		finishAVX512((*float32)(dst), pitch/4, src, lds, rows, cols, nil, nil, 0)
		return
	}
	splitAVX512(dst, pitch, planeBytes, f.planes(), src, lds, rows, cols)
}

func narrowAVX512BF16(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	if f == formBF16 {
		convertAVX512BF16(dst, pitch, src, lds, rows, cols)
		return
	}
	narrowAVX512(f, dst, pitch, planeBytes, src, lds, rows, cols)
}

// sigmoidAVX512: x *= 1/(1+2^(x*c)).
//
//go:noescape
func sigmoidAVX512(x []float32, c float32)

// geluAVX512: x = GELU(x).
//
//go:noescape
func geluAVX512(x []float32)

func activateAVX512(x []float32, act Activation) {
	switch act {
	case Identity:
	case SiLU:
		sigmoidAVX512(x, -math.Log2E)
	case GELU:
		geluAVX512(x)
	case QuickGELU:
		sigmoidAVX512(x, -1.702*math.Log2E)
	default:
		panic("kernels: unknown activation")
	}
}

// gateAVX512 computes what gateGeneric computes.
//
//go:noescape
func gateAVX512(c *float32, ld, rows, half int)

// sumsAVX512 computes what sumsGeneric computes, but for the rounding of the
// squares.
//
//go:noescape
func sumsAVX512(sum, sq, ref, x []float32)

// affineAVX512 computes what affineGeneric computes, but for the rounding of
// the product.
//
//go:noescape
func affineAVX512(dst, x, scale, shift []float32, silu bool)

// momentsAVX512 returns the sums of x-ref and of (x-ref)^2.
//
//go:noescape
func momentsAVX512(x []float32, ref float32) (sum, sq float32)

// normalizeAVX512: dst = (x-mean)*inv*weight + bias. All are as long as x.
//
//go:noescape
func normalizeAVX512(dst, x, weight, bias []float32, mean, inv float32)

func layerNormAVX512(dst, x, weight, bias []float32, eps float32) {
	sum, _ := momentsAVX512(x, 0)
	ref := sum / float32(len(x))
	sum, sq := momentsAVX512(x, ref)
	mean, inv := meanInv(len(x), ref, sum, sq, eps)
	normalizeAVX512(dst, x, weight, bias, mean, inv)
}

// rowMaxAVX512 returns the largest element, passing over NaN.
//
//go:noescape
func rowMaxAVX512(x []float32) float32

// exp2SumAVX512: x = 2^(x*scale - max), and returns the sum.
//
//go:noescape
func exp2SumAVX512(x []float32, scale, max float32) float32

func softmaxAVX512(b *softmaxBlock) { softmaxPowers(b, narrowAVX512, rowMaxAVX512, exp2SumAVX512) }
