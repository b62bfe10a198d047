package quant

import "github.com/coclico/coclico/codec/format"

// unit is the unit of [format.Moment], 2^-24: n units are float32(n)*unit,
// exactly for the moments of a float16.
const unit = 1.0 / (1 << 24)

// Moments returns the means of a model's vectors and their deviations times the
// spread of header h.
func Moments(h format.Header, p format.Prior) (mean, deviation []float32) {
	for _, m := range p.Moments {
		mean = append(mean, float32(m.Mean)*unit)
		deviation = append(deviation, float32(m.Std)*unit*Spread(h.Spread))
	}
	return mean, deviation
}

// Vector returns the CLIP vector that the codes of a file stand for.
func Vector(h format.Header, codes []uint16, p format.Prior) []float32 {
	x := make([]float32, len(codes))
	if h.Profile == format.Paper {
		DequantizePaperVector(x, codes, h.DimensionBits)
		return x
	}
	mean, deviation := Moments(h, p)
	DequantizeTunedVector(x, codes, mean, deviation, h.Allocation(p))
	return x
}

// RGB returns the color map that the codes of a file stand for, [n, n, 3] in
// [0, 1].
func RGB(h format.Header, c format.ColorMap) []float32 {
	if h.Profile == format.Paper {
		return DequantizePaperColor(c, h.MapSize, h.ColorBits)
	}
	return DequantizeTunedColor(c, h.Range, h.MapSize, h.ColorBits)
}
