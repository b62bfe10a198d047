package icc

import (
	"math"
	"sync"
)

// A Transform converts colors to sRGB.
type Transform struct {
	linear [3][]float32 // linear light of each value of each channel
	matrix [3][3]float32
	encode []float32 // sRGB of linear light, 0 to 1 in equal steps
}

// Transform returns the conversion to sRGB of values from 0 to levels-1, with 2
// to 65536 levels.
func (p *Profile) Transform(levels int) *Transform {
	if levels < 2 || levels > 1<<16 {
		panic("icc: bad number of levels")
	}
	t := &Transform{encode: encodings()}
	m := srgbToXYZ.inverse().times(p.matrix)
	for i, row := range m {
		for j, v := range row {
			t.matrix[i][j] = float32(v)
		}
	}
	for i, curve := range p.curves {
		if i > 0 && p.gray {
			t.linear[i] = t.linear[0]
			continue
		}
		t.linear[i] = make([]float32, levels)
		for v := range t.linear[i] {
			t.linear[i][v] = bounded(curve(float64(v) / float64(levels-1)))
		}
	}
	return t
}

// bounded limits x so that sums of products do not overflow.
func bounded(x float64) float32 {
	const limit = 1 << 20
	if math.IsNaN(x) {
		return 0
	}
	return float32(min(max(x, -limit), limit))
}

// steps is the number of intervals of the table of encodings. Linear interpolation
// between its entries is off by less than a 16-bit level.
const steps = 1 << 14

var encodings = sync.OnceValue(func() []float32 {
	table := make([]float32, steps+1)
	for i := range table {
		table[i] = float32(encodeSRGB(float64(i)/steps) * math.MaxUint16)
	}
	return table
})

// Convert returns a color in 16 bits of sRGB. Its arguments must be below the
// number of levels; those of a gray are equal.
func (t *Transform) Convert(r, g, b uint16) (uint16, uint16, uint16) {
	x, y, z := t.linear[0][r], t.linear[1][g], t.linear[2][b]
	return t.encoded(dot32(&t.matrix[0], x, y, z)), t.encoded(dot32(&t.matrix[1], x, y, z)), t.encoded(dot32(&t.matrix[2], x, y, z))
}

// dot32 is dot in single precision.
func dot32(v *[3]float32, x, y, z float32) float32 {
	return float32(float32(v[0]*x)+float32(v[1]*y)) + float32(v[2]*z)
}

// encoded clips linear light to 0 to 1 and encodes it.
func (t *Transform) encoded(y float32) uint16 {
	at := min(max(y, 0), 1) * steps
	i := min(int(at), steps-1)
	low := t.encode[i]
	return uint16(low + float32((t.encode[i+1]-low)*(at-float32(i))) + 0.5)
}

// SRGB reports whether p is sRGB to within one level of 255, which is as near as
// most embedded profiles of sRGB come.
func (p *Profile) SRGB() bool {
	t := p.Transform(256)
	near := func(r, g, b int) bool {
		x, y, z := t.Convert(uint16(r), uint16(g), uint16(b))
		off := func(v uint16, want int) bool { d := int(v) - want*257; return d < -257 || d > 257 }
		return !off(x, r) && !off(y, g) && !off(z, b)
	}
	for v := range 256 {
		if !near(v, v, v) {
			return false
		}
	}
	if p.gray {
		return true
	}
	const step = 15 // divides 255
	for r := 0; r < 256; r += step {
		for g := 0; g < 256; g += step {
			for b := 0; b < 256; b += step {
				if !near(r, g, b) {
					return false
				}
			}
		}
	}
	return true
}
