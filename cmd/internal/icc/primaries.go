package icc

import "math"

// An XY is a chromaticity of CIE 1931.
type XY struct{ X, Y float64 }

// Primaries holds the chromaticities of an RGB space's colorants and of its white.
type Primaries struct{ Red, Green, Blue, White XY }

// BT709 holds the primaries of sRGB.
var BT709 = Primaries{XY{0.64, 0.33}, XY{0.30, 0.60}, XY{0.15, 0.06}, d65}

var d65 = XY{0.3127, 0.3290}

// srgbToXYZ is the matrix of linear sRGB to the XYZ of D50.
var srgbToXYZ = func() matrix {
	m, err := BT709.toXYZ()
	if err != nil {
		panic(err)
	}
	return m
}()

// New returns the profile of an RGB space.
func New(p Primaries, curve Curve) (*Profile, error) {
	m, err := p.toXYZ()
	if err != nil {
		return nil, err
	}
	return &Profile{curves: [3]Curve{curve, curve, curve}, matrix: m}, nil
}

// toXYZ returns the matrix from p to the XYZ of D50.
func (p Primaries) toXYZ() (matrix, error) {
	var colorants matrix
	for i, c := range []XY{p.Red, p.Green, p.Blue} {
		colorants[0][i], colorants[1][i], colorants[2][i] = c.X, c.Y, 1-c.X-c.Y
	}
	if !(math.Abs(colorants.det()) >= minDet) || !(p.White.Y > 0) {
		return matrix{}, FormatError("primaries without a gamut")
	}
	white := [3]float64{p.White.X / p.White.Y, 1, (1 - p.White.X - p.White.Y) / p.White.Y}
	// White is the sum of these amounts of the colorants.
	amount := colorants.inverse().apply(white)
	for i := range colorants {
		for j := range amount {
			colorants[i][j] *= amount[j]
		}
	}
	adapted, err := adaptation(white)
	if err != nil {
		return matrix{}, err
	}
	m := adapted.times(colorants)
	if !(math.Abs(m.det()) >= minDet) || !m.within(maxEntry) {
		return matrix{}, FormatError("primaries without a gamut")
	}
	return m, nil
}

// The white of the profile connection space (ICC.1:2022, section 7.2.16), and the
// cone response of the linear Bradford transform (annex E).
var (
	d50      = [3]float64{0.9642, 1, 0.8249}
	bradford = matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
)

// adaptation returns the matrix from XYZ under white to XYZ under D50.
func adaptation(white [3]float64) (matrix, error) {
	from, to := bradford.apply(white), bradford.apply(d50)
	var scale matrix
	for i := range scale {
		if !(from[i] > 0) {
			return matrix{}, FormatError("white without light")
		}
		scale[i][i] = to[i] / from[i]
	}
	return bradford.inverse().times(scale).times(bradford), nil
}

// A matrix is applied to column vectors.
type matrix [3][3]float64

// minDet is the least absolute determinant of a matrix that counts as regular.
const minDet = 1e-6

// maxEntry bounds the entries of a matrix: real ones are near 1, and float32
// must hold their products.
const maxEntry = 1 << 10

// within reports whether no entry is beyond most.
func (m matrix) within(most float64) bool {
	for _, row := range m {
		for _, v := range row {
			if !(math.Abs(v) <= most) {
				return false
			}
		}
	}
	return true
}

// dot returns the product of two vectors. The conversions keep compilers from
// fusing products and sums, so that every machine has the same result.
func dot(v, w [3]float64) float64 {
	return float64(float64(v[0]*w[0])+float64(v[1]*w[1])) + float64(v[2]*w[2])
}

func (m matrix) apply(v [3]float64) (w [3]float64) {
	for i, row := range m {
		w[i] = dot(row, v)
	}
	return w
}

func (m matrix) times(n matrix) (p matrix) {
	for i := range p {
		for j := range p[i] {
			p[i][j] = dot(m[i], [3]float64{n[0][j], n[1][j], n[2][j]})
		}
	}
	return p
}

// cofactor returns the signed minor of row i and column j.
func (m matrix) cofactor(i, j int) float64 {
	i1, i2, j1, j2 := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
	return float64(m[i1][j1]*m[i2][j2]) - float64(m[i1][j2]*m[i2][j1])
}

func (m matrix) det() float64 {
	return dot(m[0], [3]float64{m.cofactor(0, 0), m.cofactor(0, 1), m.cofactor(0, 2)})
}

// inverse returns the inverse of a matrix that has one.
func (m matrix) inverse() (inv matrix) {
	det := m.det()
	for i := range inv {
		for j := range inv[i] {
			inv[i][j] = m.cofactor(j, i) / det
		}
	}
	return inv
}
