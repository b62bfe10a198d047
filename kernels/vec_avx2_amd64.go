//go:build !purego

package kernels

import (
	"math"
	"unsafe"
)

// vecAVX2 holds the loops over elements in AVX2, FMA and F16C. No product takes
// bfloat16 here: what makes it is left to Go.
var vecAVX2 = &vec{
	finish:       finishAVX2,
	narrow:       narrowAVX2,
	activate:     activateAVX2,
	gate:         gateAVX2,
	sums:         sumsAVX2,
	affine:       affineAVX2,
	layerNorm:    layerNormAVX2,
	softmax:      softmaxAVX2,
	rescale:      rescaleAVX2,
	toF32:        toF32AVX2,
	toBF16:       toBF16Generic,
	splitWeights: splitWeightsGeneric,
}

// finishAVX2 computes what finishGeneric computes, bit for bit.
//
//go:noescape
func finishAVX2(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)

func narrowAVX2(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	if f == formF32 {
		finishAVX2((*float32)(dst), pitch/4, src, lds, rows, cols, nil, nil, 0)
		return
	}
	narrowGeneric(f, dst, pitch, planeBytes, src, lds, rows, cols)
}

// sigmoidAVX2: x *= 1/(1+2^(x*c)).
//
//go:noescape
func sigmoidAVX2(x []float32, c float32)

// geluAVX2: x = GELU(x).
//
//go:noescape
func geluAVX2(x []float32)

func activateAVX2(x []float32, act Activation) {
	switch act {
	case Identity:
	case SiLU:
		sigmoidAVX2(x, -math.Log2E)
	case GELU:
		geluAVX2(x)
	case QuickGELU:
		sigmoidAVX2(x, -1.702*math.Log2E)
	default:
		panic("kernels: unknown activation")
	}
}

// gateAVX2 computes what gateGeneric computes.
//
//go:noescape
func gateAVX2(c *float32, ld, rows, half int)

// sumsAVX2 computes what sumsGeneric computes, but for the rounding of the
// squares.
//
//go:noescape
func sumsAVX2(sum, sq, ref, x []float32)

// affineAVX2 computes what affineGeneric computes, but for the rounding of the
// product.
//
//go:noescape
func affineAVX2(dst, x, scale, shift []float32, silu bool)

// momentsAVX2 returns the sums of x-ref and of (x-ref)^2.
//
//go:noescape
func momentsAVX2(x []float32, ref float32) (sum, sq float32)

// normalizeAVX2: dst = (x-mean)*inv*weight + bias. All are as long as x.
//
//go:noescape
func normalizeAVX2(dst, x, weight, bias []float32, mean, inv float32)

func layerNormAVX2(dst, x, weight, bias []float32, eps float32) {
	sum, _ := momentsAVX2(x, 0)
	ref := sum / float32(len(x))
	sum, sq := momentsAVX2(x, ref)
	mean, inv := meanInv(len(x), ref, sum, sq, eps)
	normalizeAVX2(dst, x, weight, bias, mean, inv)
}

// rowMaxAVX2 returns the largest element, passing over NaN.
//
//go:noescape
func rowMaxAVX2(x []float32) float32

// exp2SumAVX2: x = 2^(x*scale - max), and returns the sum.
//
//go:noescape
func exp2SumAVX2(x []float32, scale, max float32) float32

func softmaxAVX2(b *softmaxBlock) { softmaxPowers(b, narrowAVX2, rowMaxAVX2, exp2SumAVX2) }

// rescaleAVX2 computes what rescaleGeneric computes, but for the rounding of
// the product.
//
//go:noescape
func rescaleAVX2(o, part, factor *float32, rows, width int)

// f16AVX2 and bf16AVX2 widen n elements, a multiple of 8, computing what
// element computes.
//
//go:noescape
func f16AVX2(dst *float32, src *byte, n int)

//go:noescape
func bf16AVX2(dst *float32, src *byte, n int)

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
