//go:build !purego

package kernels

import "unsafe"

// f16AVX512 and bf16AVX512 widen n elements, computing what element computes.
//
//go:noescape
func f16AVX512(dst *float32, src *byte, n int)

//go:noescape
func bf16AVX512(dst *float32, src *byte, n int)

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

func toBF16AVX512BF16(dst, src []byte, dt DType) {
	var buf [1024]float32
	n := len(dst) / 2
	for i := 0; i < n; i += len(buf) {
		b := buf[:min(len(buf), n-i)]
		toF32AVX512(b, src[i*dt.Size():], dt)
		convertAVX512BF16(unsafe.Pointer(&dst[2*i]), 0, &b[0], 0, 1, len(b))
	}
}

// splitF16AVX512 computes splitBF16 of n float16, which have two parts.
//
//go:noescape
func splitF16AVX512(high, low, src *byte, n int)

// splitWeightsAVX512 computes what splitWeightsGeneric computes, but for the
// payload of NaN. Float16 in two planes is what exact products on AMX ask for
// while they run; others are widened a buffer full at a time, which stays in
// L1, and then split.
func splitWeightsAVX512(dst, src []byte, dt DType, planes int) {
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
