package quant

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

const sidesDim = 128

// TestSides measures on random vectors what Sides computes: the means of both
// sides, and their energies.
func TestSides(t *testing.T) {
	const n = sidesDim
	rng := rand.New(rand.NewSource(1))
	p := format.Prior{Moments: make([]format.Moment, n)}
	for i := range p.Moments {
		p.Moments[i] = format.Moment{Mean: int64(rng.NormFloat64() * 0.3 / unit), Std: int64((0.2 + 0.4*rng.Float64()) / unit)}
	}
	for _, c := range []struct {
		profile format.Profile
		bits    int
		rounds  int
	}{{format.Paper, 1, 3000}, {format.Paper, 2, 3000}, {format.Paper, 5, 3000}, {format.Tuned, n, 60}, {format.Tuned, n / 2, 60}, {format.Tuned, 2 * n, 40}} {
		t.Run(fmt.Sprint(c.profile, c.bits), func(t *testing.T) {
			h := format.NewHeader(n).WithProfile(c.profile)
			h.Spread = 1 // the model's own deviations
			if c.profile == format.Paper {
				h.DimensionBits = c.bits
			} else {
				h.VectorBits = c.bits
			}
			s := NewSides(h, p)
			mean, deviation := Moments(h, p)
			codes, x, expected := make([]uint16, n), make([]float32, n), make([]float32, n)
			sides, own := make([]uint64, n/64), make([]uint64, n/64)
			var sum, count [2][sidesDim]float64
			energy, total, agree := 0.0, 0.0, 0
			for range c.rounds {
				for i := range x {
					x[i] = mean[i] + deviation[i]*float32(rng.NormFloat64())
				}
				var err error
				if c.profile == format.Paper {
					err = QuantizePaperVector(codes, x, c.bits)
				} else {
					err = QuantizeTunedVector(codes, x, mean, deviation, s.bits)
				}
				if err != nil {
					t.Fatal(err)
				}
				s.Put(sides, codes)
				s.Expect(expected, sides)
				for i := range x {
					x[i] -= mean[i]
				}
				s.PutDeviations(own, x)
				for i := range x {
					bit := sides[i/64] >> (i % 64) & 1
					sum[bit][i] += float64(x[i])
					count[bit][i]++
					energy += float64(expected[i]) * float64(expected[i]) / float64(c.rounds)
					total += float64(x[i]) * float64(x[i]) / float64(c.rounds)
					if own[i/64]>>(i%64)&1 == bit {
						agree++
					}
				}
			}
			checkSides(t, s, &sum, &count, deviation)
			if math.Abs(energy-s.Energy) > 0.03*s.Energy || math.Abs(total-s.Total) > 0.03*s.Total {
				t.Errorf("energy %.4f of %.4f, want %.4f of %.4f", energy, total, s.Energy, s.Total)
			}
			if least := map[format.Profile]float64{format.Paper: 1, format.Tuned: 0.75}[c.profile]; float64(agree) < least*float64(n*c.rounds) {
				t.Errorf("%d of %d sides are the vector's own", agree, n*c.rounds)
			}
		})
	}
}

// checkSides compares the means of both sides of each dimension of the paper's
// vectors. In the tuned profile the string's first bits have few levels, and a
// vector takes long, so that the later dimensions are taken together.
func checkSides(t *testing.T, s *Sides, sum, count *[2][sidesDim]float64, deviation []float32) {
	var sums, wants [2]float64
	for i := range sidesDim {
		for bit, want := range []float32{s.Low[i], s.High[i]} {
			k := count[bit][i]
			if s.tuned && i > 40 {
				sums[bit] += sum[bit][i]
				wants[bit] += k * float64(want)
			}
			if s.tuned || k < 100 {
				continue
			}
			if got := sum[bit][i] / k; math.Abs(got-float64(want)) > 5*float64(deviation[i])/math.Sqrt(k) {
				t.Errorf("dimension %d, side %d: mean %.4f of %v, want %.4f", i, bit, got, k, want)
			}
		}
	}
	for bit := range sums {
		if got, want := sums[bit], wants[bit]; math.Abs(got-want) > 0.05*math.Abs(want) {
			t.Errorf("side %d: sum %.1f, want %.1f", bit, got, want)
		}
	}
}

// TestSidesOdd: statistics without a deviation, or far outside of [-1, 1], make
// finite numbers.
func TestSidesOdd(t *testing.T) {
	p := format.Prior{Moments: []format.Moment{{}, {Mean: 1 << 24}, {Mean: -60000 << 24, Std: 1}, {Mean: 1 << 30, Std: 1 << 24}, {Std: 60000 << 24}}}
	for _, profile := range []format.Profile{format.Paper, format.Tuned} {
		h := format.NewHeader(len(p.Moments)).WithProfile(profile)
		s := NewSides(h, p)
		for i := range p.Moments {
			for _, v := range []float32{s.Low[i], s.High[i], s.Threshold[i]} {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Errorf("%v, dimension %d: %v", profile, i, v)
				}
			}
		}
		if math.IsNaN(s.Energy) || math.IsNaN(s.Total) {
			t.Errorf("%v: energy %v of %v", profile, s.Energy, s.Total)
		}
	}
}
