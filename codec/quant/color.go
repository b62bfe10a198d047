package quant

import (
	"math"

	"github.com/coclico/coclico/codec/format"
)

// RGB returns the color map that the codes of a file stand for, [n, n, 3] in
// [0, 1].
func RGB(h format.Header, c format.ColorMap) []float32 {
	if h.Profile == format.Paper {
		return DequantizePaperColor(c, h.MapSize, h.ColorBits)
	}
	return DequantizeTunedColor(c, h.Range, h.MapSize, h.ColorBits)
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

// luma and chroma return the ends of a range's levels.
func luma(r format.Range) (lo, hi float32) { return float32(r.Low) / 16, 1 - float32(r.High)/16 }

// The range of chroma reaches half a step further up than down, so that code
// 2^(bits-1) - 1 stands for neutral. One bit has no third level: its two lie
// beside neutral, or both on it in the narrowest range.
func chroma(r format.Range, bits int) (lo, hi float32) {
	radius := [...]float32{0.5, 0.35355339, 0.25, 0.17677669, 0.125, 0.088388348, 0.0625, 0.044194174}[r.Chroma]
	half := radius / float32(int(1)<<bits)
	switch {
	case bits > 1:
		return 0.5 - radius + half, 0.5 + radius + half
	case r.Chroma == 1<<format.RangeBits-1:
		return 0.5, 0.5
	}
	return 0.5 - radius, 0.5 + radius
}

// QuantizeTunedColor returns the codes of a map, and the range in which they
// are nearest to it.
func QuantizeTunedColor(m Planes, bits int) (format.ColorMap, format.Range) {
	const n = 1 << format.RangeBits
	var best format.Range
	least := math.Inf(1)
	for low := range uint8(n) {
		for high := range uint8(n) {
			r := format.Range{Low: low, High: high}
			lo, hi := luma(r)
			if e := distortion(m.Y, lo, hi, bits); e < least {
				least, best = e, r
			}
		}
	}
	least = math.Inf(1)
	chosen := best
	for c := range uint8(n) {
		best.Chroma = c
		lo, hi := chroma(best, bits)
		// In RGB an error of U counts 1.772^2 + (0.114/0.587*1.772)^2, one of V
		// 1.402^2 + (0.299/0.587*1.402)^2.
		e := float64(3.258*distortion(m.U, lo, hi, bits)) + float64(2.476*distortion(m.V, lo, hi, bits)) // not fused
		if e < least {
			least, chosen = e, best
		}
	}
	return tunedCodes(m, chosen, bits), chosen
}

// tunedCodes returns the codes of a map in a range.
func tunedCodes(m Planes, r format.Range, bits int) format.ColorMap {
	plane := func(x []float32, lo, hi float32) []uint8 {
		codes := make([]uint8, len(x))
		for i, v := range x {
			codes[i] = uint8(code(v, lo, hi, bits))
		}
		return codes
	}
	lumaLo, lumaHi := luma(r)
	lo, hi := chroma(r, bits)
	return format.ColorMap{Y: plane(m.Y, lumaLo, lumaHi), U: plane(m.U, lo, hi), V: plane(m.V, lo, hi)}
}

func code(v, lo, hi float32, bits int) int {
	if lo == hi {
		return 0
	}
	levels := float32(int(1) << bits)
	return int(min(max((v-lo)/(hi-lo)*levels, 0), levels-1))
}

func value(k int, lo, hi float32, bits int) float32 {
	return lo + float32((float32(k)+0.5)/float32(int(1)<<bits)*(hi-lo))
}

// distortion returns the sum of the squared errors of a plane.
func distortion(x []float32, lo, hi float32, bits int) float64 {
	sum := 0.0
	for _, v := range x {
		d := float64(v - value(code(v, lo, hi, bits), lo, hi, bits))
		sum += float64(d * d) // not fused: the same on every machine
	}
	return sum
}

// DequantizeTunedColor returns the color map that c stands for, RGB [n, n, 3]
// in [0, 1].
func DequantizeTunedColor(c format.ColorMap, r format.Range, n, bits int) []float32 {
	neutral := -1
	plane := func(codes []uint8, lo, hi float32) []float32 {
		x := make([]float32, len(codes))
		for i, k := range codes {
			x[i] = value(int(k), lo, hi, bits)
			if int(k) == neutral {
				x[i] = 0.5 // exactly
			}
		}
		return x
	}
	lo, hi := luma(r)
	m := Planes{Y: plane(c.Y, lo, hi)}
	if bits > 1 {
		neutral = 1<<(bits-1) - 1
	}
	lo, hi = chroma(r, bits)
	m.U, m.V = plane(c.U, lo, hi), plane(c.V, lo, hi)
	return m.RGB(n)
}

// CodedBits returns the bits that the codes of an n x n map take in a file that
// is entropy-coded.
func CodedBits(c format.ColorMap, profile format.Profile, n, bits int) float64 {
	sum := 0.0
	for _, p := range c.Probabilities(profile, n, bits) {
		sum += 16 - math.Log2(float64(p)) // p is in 1/65536
	}
	return sum
}
