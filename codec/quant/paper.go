package quant

import (
	"math"

	"github.com/coclico/coclico/codec/format"
)

const errNaN = format.UnsupportedError("vector with a value that is not a number")

// QuantizePaperVector sets codes[i] to the code of x[i]. Values outside [-1,
// 1], infinities too, are clamped to it, and 1 belongs to the top level. It
// returns a [format.UnsupportedError] if x holds a NaN, which has no code.
//
// The step is a power of two: division by it is exact, and nothing rounds but
// floor.
func QuantizePaperVector(codes []uint16, x []float32, bits int) error {
	checkVector(codes, x, bits)
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

// DequantizePaperVector sets x[i] to the middle of the level of codes[i],
// exactly.
func DequantizePaperVector(x []float32, codes []uint16, bits int) {
	checkVector(codes, x, bits)
	half := float32(int(1) << (bits - 1))
	for i, code := range codes {
		if int(code)>>bits != 0 {
			panic("quant: code out of range")
		}
		x[i] = (float32(code) - half + 0.5) / half
	}
}

func checkVector(codes []uint16, x []float32, bits int) {
	if bits < 1 || bits > format.MaxDimensionBits {
		panic("quant: bits of a dimension outside 1 to 16")
	}
	if len(codes) != len(x) {
		panic("quant: as many codes as values are needed")
	}
}

// QuantizePaperColor returns the codes of a map of n x n pixels.
func QuantizePaperColor(m Planes, n, bits int) format.ColorMap {
	checkMap(n, bits)
	return format.ColorMap{Y: quantizePlane(m.Y, bits), U: quantizePlane(m.U, bits), V: quantizePlane(m.V, bits)}
}

// quantizePlane returns floor(x 2^bits), clamped to the existing codes. The
// product is exact, and positive where it matters, so that the conversion is
// the floor.
func quantizePlane(x []float32, bits int) []uint8 {
	codes := make([]uint8, len(x))
	levels := float32(int(1) << bits)
	for i, v := range x {
		codes[i] = uint8(min(max(v*levels, 0), levels-1))
	}
	return codes
}

// DequantizePaperColor returns the color map that c stands for, RGB [n, n, 3]
// in [0, 1]: the middles of the levels. It panics if c is not an n x n map of
// this many bits.
func DequantizePaperColor(c format.ColorMap, n, bits int) []float32 {
	checkMap(n, bits)
	if len(c.Y) != n*n || len(c.U) != n*n/4 || len(c.V) != n*n/4 {
		panic("quant: planes of another size")
	}
	levels := float32(int(1) << bits)
	plane := func(codes []uint8) []float32 {
		x := make([]float32, len(codes))
		for i, code := range codes {
			if int(code)>>bits != 0 {
				panic("quant: code out of range")
			}
			x[i] = (float32(code) + 0.5) / levels
		}
		return x
	}
	return Planes{plane(c.Y), plane(c.U), plane(c.V)}.RGB(n)
}

func checkMap(n, bits int) {
	if n < 2 || n > format.MaxMapSize || n%2 != 0 {
		panic("quant: color map size is not an even number from 2 to 64")
	}
	if bits < 1 || bits > format.MaxColorBits {
		panic("quant: bits of a color sample outside 1 to 8")
	}
}
