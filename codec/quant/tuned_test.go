package quant

import (
	"errors"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

// TestVector: normal values lose what losses predicts, more for fewer bits, and
// odd statistics do no harm.
func TestVector(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	const n = 3000
	x, mean, std, back := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	bits, codes := make([]uint8, n), make([]uint16, n)
	for i := range x {
		mean[i], std[i] = float32(rng.NormFloat64()), float32(0.5+0.1*rng.Float64())
		x[i] = mean[i] + std[i]*float32(rng.NormFloat64())
	}
	for b := range uint8(format.MaxTunedBits + 1) {
		for i := range bits {
			bits[i] = b
		}
		if err := QuantizeTunedVector(codes, x, mean, std, bits); err != nil {
			t.Fatal(err)
		}
		dequantizeTunedVector(back, codes, mean, std, bits)
		loss := 0.0
		for i := range x {
			d := float64((x[i] - back[i]) / std[i])
			loss += d * d / n
		}
		if want := Loss(int(b)); math.Abs(loss-want) > 0.06*want {
			t.Errorf("%d bits: mean square error %.4f, want %.4f", b, loss, want)
		}
	}
}

// TestBest: on short vectors no other string of bits loses less than Viterbi's.
func TestBest(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	for range 20 {
		bits := []uint8{1, 3, 0, 2, 1, 4}
		x, mean, std := make([]float32, 6), make([]float32, 6), make([]float32, 6)
		for i := range x {
			mean[i], std[i], x[i] = float32(rng.NormFloat64()), float32(rng.Float64()), float32(rng.NormFloat64())
		}
		codes, back := make([]uint16, 6), make([]float32, 6)
		loss := func() float64 {
			dequantizeTunedVector(back, codes, mean, std, bits)
			sum := 0.0
			for i, b := range bits {
				if b > 0 {
					sum += math.Pow(float64(x[i]-back[i]), 2)
				}
			}
			return sum
		}
		if err := QuantizeTunedVector(codes, x, mean, std, bits); err != nil {
			t.Fatal(err)
		}
		best := loss()
		for all := range 1 << 11 {
			rest := all
			for i, b := range bits {
				codes[i] = uint16(rest & (1<<b - 1))
				rest >>= b
			}
			if l := loss(); l < best-1e-5 {
				t.Fatalf("%v loses %v, Viterbi's %v", codes, l, best)
			}
		}
	}
}

func TestOddVectors(t *testing.T) {
	inf := float32(math.Inf(1))
	codes := make([]uint16, 4)
	bits := []uint8{3, 3, 3, 3}
	if err := QuantizeTunedVector(codes, []float32{inf, -inf, 1, 1}, make([]float32, 4), []float32{1, 1, 0, -1}, bits); err != nil {
		t.Error(err)
	}
	back := make([]float32, 4)
	dequantizeTunedVector(back, codes, make([]float32, 4), []float32{1, 1, 0, -1}, bits)
	if !(back[0] > 0 && back[1] < 0 && back[2] == 0) {
		t.Errorf("odd values are %v", back)
	}
	var unsupported format.UnsupportedError
	if err := QuantizeTunedVector(codes[:1], []float32{float32(math.NaN())}, back[:1], back[:1], bits[:1]); !errors.As(err, &unsupported) {
		t.Errorf("NaN: %v", err)
	}
}

// TestLevels: the levels are distinct, and their mean and deviation are 0 and 1.
func TestLevels(t *testing.T) {
	l := levels()
	sorted := slices.Clone(l[:])
	slices.Sort(sorted)
	var sum, square float64
	for i, v := range sorted {
		if i > 0 && v <= sorted[i-1] {
			t.Fatalf("two levels are %v", v)
		}
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	if math.Abs(sum) > 1e-2 || math.Abs(square/states-1) > 1e-3 {
		t.Errorf("mean %v, mean square %v", sum/states, square/states)
	}
}

// TestNeutral: gray stays gray, at every number of bits, whatever its shade and
// texture; beside a color too, where there is more than one bit.
func TestNeutral(t *testing.T) {
	gray := func(x float32) uint8 { return uint8(x*255 + 0.5) }
	rng := rand.New(rand.NewSource(4))
	for bits := 1; bits <= format.MaxColorBits; bits++ {
		for _, colored := range []bool{false, true} {
			if colored && bits == 1 {
				continue
			}
			const n, side = 8, 64
			rgb := make([]byte, 0, side*side*3)
			for i := range side * side {
				v := byte(rng.Intn(256))
				px := [3]byte{v, v, v}
				if colored && i >= side*side/2 {
					px = [3]byte{v, 255, 10}
				}
				rgb = append(rgb, px[:]...)
			}
			c, r := QuantizeTunedColor(NewPlanes(rgb, side, side, n, true), bits)
			m := DequantizeTunedColor(c, r, n, bits)
			for i := range n * n / 4 { // away from the colored half
				if a, b, c := gray(m[3*i]), gray(m[3*i+1]), gray(m[3*i+2]); a != b || b != c {
					t.Fatalf("%d bits, beside a color %v: pixel %d is #%02x%02x%02x", bits, colored, i, a, b, c)
				}
			}
		}
	}
}

// TestTunedColor: a map round-trips within half a level of its range where the
// range holds it, and the range is found.
func TestTunedColor(t *testing.T) {
	const n = 8
	m := Planes{Y: make([]float32, n*n), U: make([]float32, n*n/4), V: make([]float32, n*n/4)}
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
		c, r := QuantizeTunedColor(m, bits)
		if bits > 3 && (r.Low != 4 || r.High != 4 || r.Chroma < 3 || r.Chroma > 5) {
			t.Errorf("%d bits: range %+v", bits, r)
		}
		got, want := DequantizeTunedColor(c, r, n, bits), m.RGB(n)
		worst := 0.0
		for i := range got {
			worst = max(worst, math.Abs(float64(got[i]-want[i])))
		}
		if worst > 0.95/float64(int(1)<<bits)+0.05 {
			t.Errorf("%d bits: a color is %v off", bits, worst)
		}
	}
}
