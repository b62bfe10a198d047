package nn

import (
	"math"
	"slices"
	"testing"
)

func TestFinite(t *testing.T) {
	x := noise(1, 2, 3, 5)
	x.Data[0], x.Data[1], x.Data[2] = math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32
	if !x.Finite() || !new(Tensor).Finite() {
		t.Error("finite elements, or none, are reported as not finite")
	}
	nan := float32(math.NaN())
	for _, v := range []float32{float32(math.Inf(1)), float32(math.Inf(-1)), nan, math.Float32frombits(0xff800001)} {
		for _, i := range []int{0, 17, len(x.Data) - 1} {
			was := x.Data[i]
			if x.Data[i] = v; x.Finite() {
				t.Errorf("%g at %d is reported as finite", v, i)
			}
			x.Data[i] = was
		}
	}
}

// TestNCHW numbers the elements in PyTorch's order, so that their values say
// where they belong.
func TestNCHW(t *testing.T) {
	for _, s := range [][4]int{{1, 1, 1, 1}, {2, 3, 4, 5}, {1, 4, 3, 2}, {3, 1, 7, 1}, {2, 5, 1, 3}} {
		x := &Tensor{N: s[0], H: s[1], W: s[2], C: s[3]}
		x.Data = make([]float32, x.Len())
		planes := make([]float32, x.Len())
		for i := range planes {
			planes[i] = float32(i)
		}
		x.SetNCHW(planes)
		i := 0
		for n := range x.N {
			for h := range x.H {
				for w := range x.W {
					for c := range x.C {
						if want := float32(((n*x.C+c)*x.H+h)*x.W + w); x.Data[i] != want {
							t.Fatalf("%v: element [%d,%d,%d,%d] is %g, want %g", s, n, h, w, c, x.Data[i], want)
						}
						i++
					}
				}
			}
		}
		if got := x.NCHW(); !slices.Equal(got, planes) {
			t.Errorf("%v: NCHW does not undo SetNCHW: %v", s, got)
		}
	}
	if !panics(func() { noise(1, 2, 3, 4).SetNCHW(make([]float32, 25)) }) {
		t.Error("SetNCHW accepts too many values")
	}
}
