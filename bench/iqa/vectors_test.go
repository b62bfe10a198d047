package iqa

import (
	"math"
	"testing"

	"github.com/coclico/coclico/weights"
)

// TestCMMD compares with the definition: the mean of the kernel over all pairs
// of a set with itself, diagonal included.
func TestCMMD(t *testing.T) {
	const n, m, dims = 5, 7, 16
	rows := func(name string, n int) (x [][]float32) {
		v := weights.SynthNoise(name, []int{n, dims}, 1)
		for i := range n {
			x = append(x, v[i*dims:(i+1)*dims])
		}
		return x
	}
	x, y := rows("x", n), rows("y", m)
	kernel := func(a, b []float32) float64 {
		var aa, bb, square float64
		for i := range a {
			aa += float64(a[i]) * float64(a[i])
			bb += float64(b[i]) * float64(b[i])
		}
		for i := range a {
			d := float64(a[i])/math.Sqrt(aa) - float64(b[i])/math.Sqrt(bb)
			square += d * d
		}
		return math.Exp(-square / (2 * 10 * 10))
	}
	mean := func(x, y [][]float32) (sum float64) {
		for _, a := range x {
			for _, b := range y {
				sum += kernel(a, b) / float64(len(x)*len(y))
			}
		}
		return sum
	}
	want := 1000 * (mean(x, x) + mean(y, y) - 2*mean(x, y))
	if got := CMMD(x, y); math.Abs(got-want) > 1e-9 || want < .1 {
		t.Errorf("CMMD is %v, want %v", got, want)
	}
	if got := CMMD(x, x); got != 0 {
		t.Errorf("CMMD of a set with itself is %v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a set of longer vectors: no panic")
		}
	}()
	CMMD(x, [][]float32{make([]float32, dims+1)})
}

// TestAesthetics compares with the layers, one after the other.
func TestAesthetics(t *testing.T) {
	vector := weights.SynthNoise("vector", []int{768}, 1)
	h := unit(vector)
	for i, name := range aestheticsLayers {
		in, out := aestheticsWidths[i], aestheticsWidths[i+1]
		w, b := weights.SynthTensor(name+".weight", []int{out, in}, 1).Float32s(), weights.SynthTensor(name+".bias", []int{out}, 1).Float32s()
		next := make([]float64, out)
		for o := range next {
			next[o] = float64(b[o])
			for k, v := range h {
				next[o] += float64(w[o*in+k]) * v
			}
		}
		h = next
	}
	a := synthetic1().Aesthetics
	if got := a.Score(vector); math.Abs(got-h[0]) > 1e-12 || a.Version != "synthetic 1" {
		t.Errorf("score %v of weights %q, want %v", got, a.Version, h[0])
	}
	for i := range vector {
		vector[i] *= 4
	}
	if got := a.Score(vector); math.Abs(got-h[0]) > 1e-12 {
		t.Errorf("score of a longer vector %v, want %v", got, h[0])
	}
}
