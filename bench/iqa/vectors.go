package iqa

import (
	"math"
	"slices"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// CMMD returns the maximum mean discrepancy of two sets of CLIP vectors,
// pictures and their originals for example, times 1000 (Jayasumana et al.,
// arXiv:2401.09603): of vectors of length 1 with a Gaussian kernel of deviation
// 10, as a biased estimate. The paper's vectors are those of ViT-L/14 at 336
// pixels; from the tower at 224 pixels it is another metric, CMMD-224. Both
// sets must have at least one vector. It panics if vectors have different
// lengths.
func CMMD(x, y [][]float32) float64 {
	for _, v := range slices.Concat(x, y) {
		if len(v) != len(x[0]) {
			panic("iqa: vectors of different lengths")
		}
	}
	x64, y64 := units(x), units(y)
	return 1000 * (meanKernel(x64, x64) + meanKernel(y64, y64) - 2*meanKernel(x64, y64))
}

// meanKernel returns the mean of exp(-|a-b|²/200) over all pairs of unit
// vectors.
func meanKernel(x, y [][]float64) float64 {
	sums := make([]float64, len(x))
	nn.Parallel(len(x), func(i int) {
		for _, b := range y {
			dot := 0.
			for k, v := range x[i] {
				dot += v * b[k]
			}
			sums[i] += math.Exp(-(2 - 2*dot) / 200)
		}
	})
	sum := 0.
	for _, s := range sums {
		sum += s
	}
	return sum / float64(len(x)*len(y))
}

func units(x [][]float32) [][]float64 {
	u := make([][]float64, len(x))
	for i, v := range x {
		u[i] = unit(v)
	}
	return u
}

// unit returns v at length 1.
func unit(v []float32) []float64 {
	square := 0.
	for _, a := range v {
		square += float64(a) * float64(a)
	}
	length := math.Sqrt(square)
	u := make([]float64, len(v))
	for i, a := range v {
		u[i] = float64(a) / length
	}
	return u
}

// Aesthetics is LAION's predictor of how people like a picture, from about 1 to
// 10 (github.com/christophschuhmann/improved-aesthetic-predictor): linear
// layers without activations on the vector of CLIP ViT-L/14, which are one
// affine map.
type Aesthetics struct {
	Origin

	weight []float64
	bias   float64
}

// aestheticsLayers are the widths, and the names of the layers between them.
var (
	aestheticsWidths = [6]int{768, 1024, 128, 64, 16, 1}
	aestheticsLayers = [5]string{"layers.0", "layers.2", "layers.4", "layers.6", "layers.7"}
)

// newAesthetics multiplies the layers, from the last to the first.
func newAesthetics(s *weights.Scope) *Aesthetics {
	a := &Aesthetics{weight: []float64{1}}
	for i := len(aestheticsLayers) - 1; i >= 0; i-- {
		in, out := aestheticsWidths[i], aestheticsWidths[i+1]
		w := s.Sub(aestheticsLayers[i]).Tensor("weight", out, in).Float32s()
		next := make([]float64, in)
		for o, b := range s.Sub(aestheticsLayers[i]).Tensor("bias", out).Float32s() {
			a.bias += a.weight[o] * float64(b)
			for k, v := range w[o*in : (o+1)*in] {
				next[k] += a.weight[o] * float64(v)
			}
		}
		a.weight = next
	}
	return a
}

// Score rates the CLIP vector of a picture, whatever its length. It panics if
// the vector is not of ViT-L/14, with 768 numbers.
func (a *Aesthetics) Score(vector []float32) float64 {
	if len(vector) != aestheticsWidths[0] {
		panic("iqa: not a vector of CLIP ViT-L/14")
	}
	sum := a.bias
	for i, v := range unit(vector) {
		sum += v * a.weight[i]
	}
	return sum
}
