package tuned

import (
	"errors"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/stream"
)

// TestLloyd: every edge is in the middle between the levels beside it, every level in the middle of mass of its part, and
// the gains are those of the mean square error.
func TestLloyd(t *testing.T) {
	density := func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }
	below := func(x float64) float64 { return (1 + math.Erf(x/math.Sqrt2)) / 2 }
	before := 1.0
	for bits := 1; bits <= MaxBits; bits++ {
		n := 1 << bits
		distortion := 1.0
		for k := range n {
			lo, hi := math.Inf(-1), math.Inf(1)
			if k > 0 {
				lo = float64(Edge(bits, k)) / 512
				if mid := float64(Level(bits, k-1)+Level(bits, k)) / 2; math.Abs(lo-mid) > 0.002 {
					t.Errorf("%d bits: edge %d is %v, the levels' middle %v", bits, k, lo, mid)
				}
			}
			if k+1 < n {
				hi = float64(Edge(bits, k+1)) / 512
			}
			mass := below(hi) - below(lo)
			centre := (density(lo) - density(hi)) / mass
			if l := float64(Level(bits, k)); math.Abs(l-centre) > 0.004 {
				t.Errorf("%d bits: level %d is %v, the middle of mass %v", bits, k, l, centre)
			}
			distortion -= mass * centre * centre
		}
		if g := float64(gains[bits-1]) / 65536; math.Abs(g*g-(before-distortion)) > 1e-3 {
			t.Errorf("bit %d takes %v, want %v", bits, g*g, before-distortion)
		}
		before = distortion
	}
}

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		deviations []int64
		total      int
		want       []uint8
	}{
		{[]int64{5, 5, 5}, 2, []uint8{1, 1, 0}},
		{[]int64{5, 5, 5}, 3, []uint8{1, 1, 1}},
		{[]int64{1, 100, 2}, 3, []uint8{0, 3, 0}},
		{[]int64{1, 100, 2}, 8, []uint8{0, 6, 2}},
		{[]int64{0, -4, 7}, 7, []uint8{1, 0, 6}},
		{[]int64{1 << 40, 1}, 12, []uint8{6, 6}},
		{[]int64{9}, 0, []uint8{0}},
	} {
		if got := Allocate(c.deviations, c.total); !slices.Equal(got, c.want) {
			t.Errorf("%d bits for %v are %v, want %v", c.total, c.deviations, got, c.want)
		}
	}
}

// TestVector: normal values lose what Lloyd's tables say, codes stand for values in their own part, and odd statistics do
// no harm.
func TestVector(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	const n = 20000
	x, mean, std, back := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	bits, codes, again := make([]uint8, n), make([]uint16, n), make([]uint16, n)
	for i := range x {
		mean[i], std[i] = float32(rng.NormFloat64()), float32(0.1+rng.Float64())
		x[i] = mean[i] + std[i]*float32(rng.NormFloat64())
	}
	want := 1.0
	for b := range uint8(MaxBits + 1) {
		for i := range bits {
			bits[i] = b
		}
		if b > 0 {
			g := float64(gains[b-1]) / 65536
			want -= g * g
		}
		if err := QuantiseVector(codes, x, mean, std, bits); err != nil {
			t.Fatal(err)
		}
		DequantiseVector(back, codes, mean, std, bits)
		loss := 0.0
		for i := range x {
			d := float64((x[i] - back[i]) / std[i])
			loss += d * d / n
		}
		if math.Abs(loss-want) > 0.05*want {
			t.Errorf("%d bits: mean square error %v, want %v", b, loss, want)
		}
		if err := QuantiseVector(again, back, mean, std, bits); err != nil || !slices.Equal(codes, again) {
			t.Errorf("%d bits: what codes stand for has other codes (%v)", b, err)
		}
	}
	inf := float32(math.Inf(1))
	odd := []float32{inf, -inf, 1, 1}
	if err := QuantiseVector(codes[:4], odd, make([]float32, 4), []float32{1, 1, 0, -1}, []uint8{3, 3, 3, 3}); err != nil || codes[0] != 7 || codes[1] != 0 {
		t.Errorf("codes of odd values are %v (%v)", codes[:4], err)
	}
	var unsupported stream.UnsupportedError
	if err := QuantiseVector(codes[:1], []float32{float32(math.NaN())}, mean[:1], std[:1], bits[:1]); !errors.As(err, &unsupported) {
		t.Errorf("NaN: %v", err)
	}
}

// TestColour: a map comes back within half a level of its range where the range holds it, and the range is found.
func TestColour(t *testing.T) {
	const n = 8
	m := stream.Planes{Y: make([]float32, n*n), U: make([]float32, n*n/4), V: make([]float32, n*n/4)}
	rng := rand.New(rand.NewSource(2))
	fill := func(x []float32, lo, hi float64) {
		for i := range x {
			x[i] = float32(lo + (hi-lo)*rng.Float64())
		}
	}
	fill(m.Y, 4./16, 12./16)
	fill(m.U, 0.4, 0.6)
	fill(m.V, 0.42, 0.55)
	for bits := 1; bits <= 8; bits++ {
		c, r := QuantiseColour(m, n, bits)
		if bits > 3 && (r.Low != 4 || r.High != 4 || r.Chroma < 3 || r.Chroma > 5) {
			t.Errorf("%d bits: range %+v", bits, r)
		}
		got, want := DequantiseColour(c, r, n, bits), m.RGB(n)
		worst := 0.0
		for i := range got {
			worst = max(worst, math.Abs(float64(got[i]-want[i])))
		}
		if worst > 0.95/float64(int(1)<<bits)+0.05 {
			t.Errorf("%d bits: a colour is %v off", bits, worst)
		}
	}
}
