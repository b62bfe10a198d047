package kernels

import (
	"math"
	"testing"
)

// horner evaluates a polynomial whose coefficients begin with the constant.
func horner(x float64, c ...float32) float64 {
	var y float64
	for i := len(c) - 1; i >= 0; i-- {
		y = y*x + float64(c[i])
	}
	return y
}

// column returns the first elements of rows, which must be equal.
func column(t *testing.T, rows [][8]float32) (c []float32) {
	for _, r := range rows {
		for _, x := range r {
			if x != r[0] {
				t.Fatalf("row %v is not eight times the same", r)
			}
		}
		c = append(c, r[0])
	}
	return c
}

func reversed(x []float32) (y []float32) {
	for i := range x {
		y = append(y, x[len(x)-1-i])
	}
	return y
}

// TestPolynomials measures the polynomials of all machines in float64, on any
// of them, and compares their largest relative errors with what the comments of
// their tables claim.
func TestPolynomials(t *testing.T) {
	exp2, gelu := column(t, exp2Table[:]), column(t, geluTable[:])
	// erfcx(a/√2)/2 = Phi(-a) exp(a²/2)
	r := func(a float64) float64 { return math.Erfc(a/math.Sqrt2) / 2 * math.Exp(a*a/2) }
	for _, c := range []struct {
		name     string
		from, to float64
		bits     float64 // claimed: the error is 2^-bits
		want     func(x float64) float64
		f        func(x float64) float64
	}{
		{"exp2Table", 0, 1, 28.8, math.Exp2, func(x float64) float64 { return horner(x, exp2[:7]...) }},
		{"exp2BF16Table", 0, 1, -math.Log2(8.6e-5), math.Exp2, func(x float64) float64 { return horner(x, exp2BF16Table[:4]...) }},
		{"geluTable", 0, 14, 24.8, r, func(a float64) float64 {
			u := 1 / (1 + float64(gelu[2])*a)
			return u * horner(u, gelu[3:]...)
		}},
		{"exp2TableNEON", -0.5, 0.5, 27.4, math.Exp2, func(x float64) float64 { return horner(x, reversed(exp2TableNEON[2:])...) }},
		{"geluTableNEON", 0, 14.5, 23.9, r, func(a float64) float64 {
			ka := float64(geluTableNEON[1]) * a
			u := ka / (1 + ka)
			w := horner(u, reversed(geluTableNEON[3:])...)
			return w - u*w
		}},
	} {
		const n = 1 << 16
		worst := 0.0
		for i := range n + 1 {
			x := c.from + (c.to-c.from)*float64(i)/n
			worst = max(worst, math.Abs(c.f(x)/c.want(x)-1))
		}
		t.Logf("%s: 2^%.2f", c.name, math.Log2(worst))
		if !(worst <= math.Exp2(0.05-c.bits)) {
			t.Errorf("%s has an error of 2^%.2f, not 2^-%.1f", c.name, math.Log2(worst), c.bits)
		}
	}
	if !math.IsInf(float64(exp2BF16Table[4]), -1) {
		t.Error("exp2BF16Table has no -Inf")
	}
	if exp2[9] != float32(siluRate) || gelu[0] != float32(siluRate/2) {
		t.Error("log2(e) differs between tables")
	}
}
