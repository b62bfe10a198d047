package quant

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

// TestExpectation measures on random vectors what an Expectation is: the mean of
// the vectors that have the codes. So its product with such a vector is its own
// square, in the mean. The error that is left is that of the codes.
func TestExpectation(t *testing.T) {
	const n = sidesDim
	rng := rand.New(rand.NewSource(2))
	p := format.Prior{Moments: make([]format.Moment, n)}
	for i := range p.Moments {
		p.Moments[i] = format.Moment{Mean: int64(rng.NormFloat64() * 0.3 / unit), Std: int64((0.2 + 0.4*rng.Float64()) / unit)}
	}
	for _, c := range []struct {
		profile format.Profile
		bits    int
		spread  uint8
		rounds  int
		error   float64 // share of the mean square that is left at most
	}{
		{format.Paper, 1, 1, 3000, 0.6}, {format.Paper, 2, 1, 3000, 0.25}, {format.Paper, 6, 1, 3000, 0.09}, {format.Paper, 9, 1, 3000, 0.09},
		{format.Tuned, n, 1, 60, 0.3}, {format.Tuned, n, 3, 60, 0.3}, {format.Tuned, n / 2, 1, 60, 0.55}, {format.Tuned, 3 * n, 0, 40, 0.04},
	} {
		t.Run(fmt.Sprint(c.profile, c.bits, c.spread), func(t *testing.T) {
			h := format.NewHeader(n).WithProfile(c.profile)
			h.Spread = c.spread
			if c.profile == format.Paper {
				h.DimensionBits = c.bits
			} else {
				h.VectorBits = c.bits
			}
			e := NewExpectation(h, p)
			mean, deviation := Moments(h, p)
			codes, x, got := make([]uint16, n), make([]float32, n), make([]float32, n)
			var energy, total, product, rest float64
			for range c.rounds {
				for i := range x {
					x[i] = mean[i] + deviation[i]*float32(rng.NormFloat64())
				}
				var err error
				if c.profile == format.Paper {
					err = QuantizePaperVector(codes, x, c.bits)
				} else {
					err = QuantizeTunedVector(codes, x, mean, deviation, e.bits)
				}
				if err != nil {
					t.Fatal(err)
				}
				e.Put(got, codes, h)
				for i := range x {
					v, y := float64(x[i]-mean[i]), float64(got[i])
					energy, total = energy+y*y, total+v*v
					product, rest = product+v*y, rest+(v-y)*(v-y)
				}
			}
			scale := 1 / float64(c.rounds)
			if c.profile == format.Tuned { // Energy and Total are those of the model's spread
				scale /= float64(Spread(c.spread)) * float64(Spread(c.spread))
			}
			if math.Abs(energy*scale-e.Energy) > 0.05*e.Energy || math.Abs(total*scale-e.Total) > 0.04*e.Total {
				t.Errorf("energy %.4f of %.4f, want %.4f of %.4f", energy*scale, total*scale, e.Energy, e.Total)
			}
			if math.Abs(product-energy) > 0.03*energy {
				t.Errorf("product with the vectors %.4f, with itself %.4f", product*scale, energy*scale)
			}
			if rest > c.error*total {
				t.Errorf("%.3f of the mean square is left, want at most %.3f", rest/total, c.error)
			}
		})
	}
}

// TestExpectationSides: of one bit a dimension both know the same.
func TestExpectationSides(t *testing.T) {
	p := format.Prior{Moments: []format.Moment{{}, {Mean: 1 << 24}, {Mean: -60000 << 24, Std: 1}, {Mean: 1 << 30, Std: 1 << 24}, {Std: 60000 << 24}, {Mean: 3 << 20, Std: 1 << 23}, {Mean: -9 << 20, Std: 1 << 22}}}
	h := format.NewHeader(len(p.Moments)).WithProfile(format.Paper)
	s, e := NewSides(h, p), NewExpectation(h, p)
	n := len(p.Moments)
	want, got := make([]float32, n), make([]float32, n)
	for _, code := range []uint16{0, 1} {
		codes, sides := make([]uint16, n), make([]uint64, 1)
		for i := range codes {
			codes[i] = code
		}
		s.Put(sides, codes)
		s.Expect(want, sides)
		e.Put(got, codes, h)
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-6*math.Abs(float64(want[i])) {
				t.Errorf("code %d of dimension %d: %v, sides have %v", code, i, got[i], want[i])
			}
		}
	}
	if math.Abs(e.Energy-s.Energy) > 1e-7*s.Energy || e.Total != s.Total {
		t.Errorf("energy %v of %v, sides have %v of %v", e.Energy, e.Total, s.Energy, s.Total)
	}
	for _, profile := range []format.Profile{format.Paper, format.Tuned} {
		for _, bits := range []int{3, 16} {
			h := format.NewHeader(n).WithProfile(profile)
			if profile == format.Paper {
				h.DimensionBits = bits
			}
			e := NewExpectation(h, p)
			if math.IsNaN(e.Energy) || math.IsInf(e.Energy, 0) || math.IsNaN(e.Total) {
				t.Errorf("%v, %d bits: energy %v of %v", profile, bits, e.Energy, e.Total)
			}
			for i, cells := range e.cells {
				for k, v := range cells {
					if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) || k > 0 && v < cells[k-1] {
						t.Errorf("dimension %d, cell %d: %v", i, k, v)
					}
				}
			}
		}
	}
}
