package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// activations are the activations in float64, which the results must match.
var activations = []struct {
	name string
	act  Activation
	f    func(x float64) float64
}{
	{"Identity", Identity, func(x float64) float64 { return x }},
	{"SiLU", SiLU, func(x float64) float64 { return x * sigmoid(x) }},
	{"GELU", GELU, gelu},
	{"QuickGELU", QuickGELU, func(x float64) float64 { return x * sigmoid(1.702*x) }},
	{"ReLU", ReLU, func(x float64) float64 { return max(x, 0) }},
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// activationTolerance returns the error allowed at x: a few units in the last
// place, and those of an exponent x or x²/2 that was rounded to float32.
func activationTolerance(act Activation, x, want float64) float64 {
	if x > 0 {
		return 0x1p-21*want + 0x1p-148
	}
	e := 2 - 2*x
	if act == GELU {
		e = 4 + x*x
	}
	return 0x1p-23*e*math.Abs(want) + 0x1p-120
}

func TestVecActivate(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, a := range activations {
			for _, n := range sizes() {
				x := randoms(r, n)
				for i := range x {
					x[i] *= 4
				}
				got := floats(m, 0, x)
				im.vec.activate(got, a.act)
				for i, g := range got {
					w := a.f(float64(x[i]))
					if d := math.Abs(float64(g) - w); !(d <= activationTolerance(a.act, float64(x[i]), w)) {
						t.Fatalf("%s(%v) = %v, want %v", a.name, x[i], g, w)
					}
				}
				m.check(t)
			}
		}
	})
}

// TestActivateEverywhere steps through all of float32 in both signs and checks
// every result, and the root mean square error on random numbers.
func TestActivateEverywhere(t *testing.T) {
	for _, im := range impls() {
		if !im.available() {
			continue
		}
		for _, a := range activations {
			t.Run(im.name+"/"+a.name, func(t *testing.T) {
				var in []float32
				for b := uint32(0); b <= 0x7f800000; b += 0xe5f3 {
					in = append(in, math.Float32frombits(b), -math.Float32frombits(b))
				}
				for x := float32(-30); x < 30; x += 0.0013 {
					in = append(in, x)
				}
				got := append([]float32(nil), in...)
				im.vec.activate(got, a.act)
				for i, g := range got {
					x := float64(in[i])
					w := a.f(x)
					if d := math.Abs(float64(g) - w); !(d <= activationTolerance(a.act, x, w)) {
						t.Fatalf("%s(%v) = %v, want %v", a.name, x, g, w)
					}
				}
				special := []float32{float32(math.NaN()), float32(math.Inf(1)), math.MaxFloat32, -math.MaxFloat32, -1000, 0}
				want := []float32{special[0], special[1], special[2], 0, 0, 0}
				if a.act == Identity {
					copy(want, special)
				}
				im.vec.activate(special, a.act)
				same(t, "special", special, want, nil)
				// x86's GELU makes 0 of -Inf, and all else that is not Identity or ReLU a NaN.
				left := []float32{float32(math.Inf(-1))}
				im.vec.activate(left, a.act)
				if v := float64(left[0]); !math.IsNaN(v) && v != 0 && a.act != Identity {
					t.Errorf("of -Inf it makes %v", v)
				}

				r := rand.New(rand.NewPCG(3, 2))
				x := randoms(r, 1<<16)
				got = append([]float32(nil), x...)
				im.vec.activate(got, a.act)
				var d2, w2 float64
				for i, g := range got {
					w := a.f(float64(x[i]))
					d2 += (float64(g) - w) * (float64(g) - w)
					w2 += w * w
				}
				if rms := math.Sqrt(d2 / w2); rms > 1e-7 {
					t.Errorf("relative RMS error %.2g", rms)
				} else {
					t.Logf("relative RMS error %.2g", rms)
				}
			})
		}
	}
}

func TestVecGate(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(4, 2))
		for i, half := range sizes() {
			rows, ld := i%4+1, 2*half+i%3
			n := (rows-1)*ld + 2*half
			in := randoms(r, n)
			got, want := floats(m, 0, in), append([]float32(nil), in...)
			gateGeneric(ptr(want), ld, rows, half)
			im.vec.gate(ptr(got), ld, rows, half)
			same(t, fmt.Sprintf("%dx%d", rows, half), got, want, func(i int) float64 {
				if i%ld >= half { // not written
					return 0
				}
				return 0x1p-20*math.Abs(float64(want[i])) + 0x1p-140
			})
			m.check(t)
		}
	})
}
