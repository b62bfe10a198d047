package stream

import "math"

// QuantiseEmbedding sets codes[i] to the code of x[i] (equation 3 of the paper): floor(x/q) with the step q = 2^(1-bits) on
// [-1, 1], the first level numbered 0. Values outside [-1, 1], infinities too, are limited to it, and 1 belongs to the top
// level. It returns an [UnsupportedError] if x holds a NaN, which no code stands for.
//
// q is a power of two: division by it is exact, and nothing rounds but floor.
func QuantiseEmbedding(codes []uint16, x []float32, bits int) error {
	checkEmbedding(codes, x, bits)
	half := float64(int(1) << (bits - 1)) // 1/q
	for i, v := range x {
		if v != v {
			return errNaN
		}
		k := math.Floor(min(max(float64(v), -1), 1) * half)
		codes[i] = uint16(min(k, half-1) + half)
	}
	return nil
}

// DequantiseEmbedding sets x[i] to the middle of the level of codes[i], exactly.
func DequantiseEmbedding(x []float32, codes []uint16, bits int) {
	checkEmbedding(codes, x, bits)
	half := float32(int(1) << (bits - 1))
	for i, code := range codes {
		if int(code)>>bits != 0 {
			panic("stream: code of more than bits bits")
		}
		x[i] = (float32(code) - half + 0.5) / half
	}
}

func checkEmbedding(codes []uint16, x []float32, bits int) {
	if bits < 1 || bits > MaxEmbeddingBits {
		panic("stream: bits of an embedding value outside 1 to 16")
	}
	if len(codes) != len(x) {
		panic("stream: as many codes as values are needed")
	}
}
