package icc

import (
	"encoding/binary"
	"math"
)

// A Curve maps a value of a picture, 0 to 1, to linear light, which is usually in
// 0 to 1 too.
type Curve func(x float64) float64

// Linear is the identity, the curve of linear light.
func Linear(x float64) float64 { return x }

// Gamma returns the curve x^g.
func Gamma(g float64) Curve {
	return func(x float64) float64 { return math.Pow(x, g) }
}

// SRGB is the curve of IEC 61966-2-1.
func SRGB(x float64) float64 {
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

// encodeSRGB is the inverse of SRGB.
func encodeSRGB(y float64) float64 {
	if y <= 0.0031308 {
		return y * 12.92
	}
	return float64(1.055*math.Pow(y, 1/2.4)) - 0.055
}

// lightness converts a curve to the lightness of Lab into one to luminance.
func lightness(c Curve) Curve {
	return func(x float64) float64 {
		const delta = 6.0 / 29
		t := (float64(c(x)*100) + 16) / 116
		if t <= delta {
			return 3 * delta * delta * (t - 4.0/29)
		}
		return t * t * t
	}
}

// parseCurve reads curveType, section 10.6, or parametricCurveType, 10.18.
func parseCurve(b []byte) (Curve, error) {
	if len(b) < 12 {
		return nil, FormatError("curve too short")
	}
	switch string(b[:4]) {
	case "curv":
		return parseSampled(b[8:])
	case "para":
		return parseParametric(b[8:])
	}
	return nil, FormatError("unknown type of curve")
}

// parseSampled reads a count and as many samples. No samples are the identity, and
// a single one is an exponent, u8Fixed8Number.
func parseSampled(b []byte) (Curve, error) {
	n := binary.BigEndian.Uint32(b)
	b = b[4:]
	if uint64(n)*2 > uint64(len(b)) {
		return nil, FormatError("curve too short")
	}
	switch n {
	case 0:
		return Linear, nil
	case 1:
		return Gamma(float64(binary.BigEndian.Uint16(b)) / (1 << 8)), nil
	}
	sample := func(i int) float64 { return float64(binary.BigEndian.Uint16(b[2*i:])) / math.MaxUint16 }
	return func(x float64) float64 {
		at := x * float64(n-1)
		i := min(int(at), int(n-2))
		t := at - float64(i)
		return float64(sample(i)*(1-t)) + float64(sample(i+1)*t)
	}, nil
}

// parseParametric reads the number of one of five functions and its parameters.
func parseParametric(b []byte) (Curve, error) {
	kind := binary.BigEndian.Uint16(b)
	counts := [...]int{1, 3, 4, 5, 7}
	if int(kind) >= len(counts) {
		return nil, FormatError("unknown parametric curve")
	}
	n := counts[kind]
	if b = b[4:]; len(b) < 4*n {
		return nil, FormatError("curve too short")
	}
	var p [7]float64 // g a b c d e f
	for i := range n {
		p[i] = fixed(b[4*i:])
	}
	g, a := p[0], p[1]
	switch kind {
	case 0:
		return Gamma(g), nil
	case 1, 2: // (ax+b)^g + c from -b/a on, and c below
		if a == 0 {
			return nil, FormatError("parametric curve without a slope")
		}
		from := -p[2] / a
		return parametric(g, a, p[2], p[3], 0, p[3], from), nil
	default: // (ax+b)^g + e from d on, and cx+f below
		return parametric(g, a, p[2], p[5], p[3], p[6], p[4]), nil
	}
}

// parametric returns the curve (ax+b)^g + e from d on, and cx+f below.
func parametric(g, a, b, e, c, f, d float64) Curve {
	return func(x float64) float64 {
		if x < d {
			return float64(c*x) + f
		}
		return math.Pow(max(float64(a*x)+b, 0), g) + e
	}
}
