package solver

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestLowBand compares with the definition in float64: P is an orthogonal
// projection, keeps the low band, and removes everything else.
func TestLowBand(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][4]int{{1, 1, 1, 1}, {8, 8, 4, 8}, {12, 9, 4, 4}, {5, 16, 3, 8}, {16, 5, 1, 2}, {16, 5, 1, 8}, {7, 7, 2, 64}} {
		h, w, c, n := s[0], s[1], s[2], min(s[3], s[0], s[1])
		x, target := make([]float32, h*w*c), make([]float32, h*w*c)
		for i := range x {
			x[i], target[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
		}
		basis := func(k, i, n int) float64 {
			scale := math.Sqrt(2 / float64(n))
			if k == 0 {
				scale = math.Sqrt(1 / float64(n))
			}
			return scale * math.Cos(math.Pi*float64(k)*(float64(i)+0.5)/float64(n))
		}
		want := make([]float64, len(x))
		for ch := range c {
			for u := range n {
				for v := range n {
					sum := 0.0
					for i := range h * w {
						sum += basis(u, i/w, h) * basis(v, i%w, w) * float64(target[i*c+ch]-x[i*c+ch])
					}
					for i := range h * w {
						want[i*c+ch] += sum * basis(u, i/w, h) * basis(v, i%w, w)
					}
				}
			}
		}
		b := NewLowBand(s[0], s[1], s[2], s[3])
		for _, weight := range []float32{0.3, 1} {
			got := append([]float32(nil), x...)
			for range 2 { // it keeps nothing between calls
				copy(got, x)
				b.Pull(got, target, weight)
			}
			for i := range got {
				if d := float64(got[i]) - float64(x[i]) - float64(weight)*want[i]; math.Abs(d) > 2e-5 {
					t.Fatalf("%v, weight %v: value %d is %v off", s, weight, i, d)
				}
			}
			if weight == 1 { // a second pull finds nothing to do
				again := append([]float32(nil), got...)
				b.Pull(again, target, 1)
				for i := range again {
					if math.Abs(float64(again[i]-got[i])) > 2e-5 {
						t.Fatalf("%v: pulled twice, value %d moves by %v", s, i, again[i]-got[i])
					}
				}
			}
		}
	}
}

// TestFade: the weight falls evenly from w to w/8.
func TestFade(t *testing.T) {
	for _, k := range []struct {
		w           float64
		step, steps int
		want        float64
	}{{0.8, 0, 17, 0.8}, {0.8, 8, 17, 0.45}, {0.8, 16, 17, 0.1}, {1, 0, 2, 1}, {1, 1, 2, 0.125}, {0.8, 0, 1, 0.8}, {0, 3, 9, 0}} {
		if got := Fade(k.w, k.step, k.steps); math.Abs(got-k.want) > 1e-15 {
			t.Errorf("Fade(%g, %d, %d) = %g, want %g", k.w, k.step, k.steps, got, k.want)
		}
	}
	for _, step := range []int{-1, 2} {
		if !panics(func() { Fade(1, step, 2) }) {
			t.Errorf("step %d of 2 does not panic", step)
		}
	}
}

// BenchmarkPull is a step's color guidance at 768x768 pixels.
func BenchmarkPull(b *testing.B) {
	const h, w, c = 96, 96, 4
	band, x, target := NewLowBand(h, w, c, 6), make([]float32, h*w*c), make([]float32, h*w*c)
	NewGenerator(1).Randn(target)
	for b.Loop() {
		band.Pull(x, target, 0.5)
	}
}
