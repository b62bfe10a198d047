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

func toBF16AVX512(dst, src []byte, dt DType) { splitWeightsAVX512(dst, src, dt, 1) }

// splitWeightsAVX512 widens a buffer full, which stays in L1, and splits it.
func splitWeightsAVX512(dst, src []byte, dt DType, planes int) {
	var buf [1024]float32
	n := len(dst) / 2 / planes
	for i := 0; i < n; i += len(buf) {
		b := buf[:min(len(buf), n-i)]
		toF32AVX512(b, src[i*dt.Size():], dt)
		splitAVX512(unsafe.Pointer(&dst[2*i]), 0, 2*n, planes, &b[0], 0, 1, len(b))
	}
}
