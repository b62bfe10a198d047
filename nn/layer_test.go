package nn

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
)

// The golden cases of the networks compare most layers with PyTorch's. The tests
// here cover the rest.

func scope() Scope { return new(WeightSet).Scope(weights.Synthetic(1).Scope()) }

func noise(n, h, w, c int) *Tensor {
	return &Tensor{N: n, H: h, W: w, C: c, Data: weights.SynthNoise("x", []int{n, h, w, c}, 1)}
}

func near(t *testing.T, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i := range got {
		if math.Abs(float64(got[i]-want[i])) > 1e-5*(1+math.Abs(float64(want[i]))) {
			t.Fatalf("element %d is %g, want %g", i, got[i], want[i])
		}
	}
}

// linear is the definition of the product.
func linear(x, w, b []float32, in, out int) []float32 {
	var y []float32
	for ; len(x) > 0; x = x[in:] {
		for o := range out {
			sum := float64(b[o])
			for i := range in {
				sum += float64(x[i]) * float64(w[o*in+i])
			}
			y = append(y, float32(sum))
		}
	}
	return y
}

func TestLinearRows(t *testing.T) {
	const in, out = 700, 7
	s := scope()
	l := NewConv1x1(s, in, out)
	ws := new(Workspace)
	defer ws.Close()
	x := noise(2, 40, 61, in) // two pieces and a bit
	w, b := s.Tensor("weight", out, in, 1, 1).Float32s(), s.Tensor("bias", out).Float32s()
	y := l.Rows(ws, ws.Keep(x))
	if y.N != 2 || y.H != 40 || y.W != 61 || y.C != out {
		t.Errorf("result is [%d,%d,%d,%d]", y.N, y.H, y.W, y.C)
	}
	want := linear(x.Data, w, b, in, out)
	near(t, y.Data, want)
	own := ws.Get(2, 40, 61, in)
	copy(own.Data, x.Data)
	if over := l.Rows(ws, own); over != own || over.C != out {
		t.Error("a tensor without another owner was not reused")
	} else {
		near(t, over.Data, want)
		ws.Put(over)
	}
	ws.Put(y)
	if ws.InUse() != 0 {
		t.Errorf("%d bytes in use", ws.InUse())
	}
}

func TestLinearResidual(t *testing.T) {
	l := NewLinear(scope(), 6, 6, true)
	ws := new(Workspace)
	defer ws.Close()
	x := noise(1, 1, 9, 6)
	a := ws.Fill(x, 0)
	plain := l.Forward(ws, a, nil)
	want := slices.Clone(plain.Data)
	for i, v := range x.Data {
		want[i] += v
	}
	near(t, l.Forward(ws, a, ws.Keep(x)).Data, want) // x is the caller's, so the result is a new tensor
	res := ws.Get(1, 1, 9, 6)
	copy(res.Data, x.Data)
	ws.Keep(res)
	if y := l.Forward(ws, a, res); y == res || !slices.Equal(res.Data, x.Data) {
		t.Error("a residual with another owner was overwritten")
	} else {
		near(t, y.Data, want)
	}
	if y := l.Forward(ws, a, res); y != res {
		t.Error("a residual without another owner was not reused")
	} else {
		near(t, y.Data, want)
	}
}

// TestUpsample compares the kernel that enlarges and convolves in one pass with
// a convolution of the enlarged picture. Odd sizes lack the last row or column.
func TestUpsample(t *testing.T) {
	u := NewUpsample(scope(), 5)
	ws := new(Workspace)
	defer ws.Close()
	x := noise(2, 3, 4, 5)
	for _, to := range [][2]int{{6, 8}, {5, 8}, {6, 7}, {5, 7}} {
		big := ws.Get(2, to[0], to[1], 5)
		for i := range big.Rows() {
			n, y, c := i/(to[0]*to[1]), i/to[1]%to[0], i%to[1]
			copy(big.Data[i*5:(i+1)*5], x.Data[((n*3+y/2)*4+c/2)*5:])
		}
		want := u.Conv.Apply(ws, big)
		near(t, u.Forward(ws, ws.Keep(x), to[0], to[1]).Data, want.Data)
	}
}

func TestDownsample(t *testing.T) {
	ws := new(Workspace)
	defer ws.Close()
	for _, c := range []struct{ padding, h, w, oh, ow int }{{1, 7, 8, 4, 4}, {1, 1, 1, 1, 1}, {0, 7, 8, 3, 4}, {0, 2, 3, 1, 1}} {
		d := NewDownsample(scope(), 3, c.padding)
		if y := d.Forward(ws, noise(1, c.h, c.w, 3)); y.H != c.oh || y.W != c.ow {
			t.Errorf("padding %d: %dx%d becomes %dx%d, want %dx%d", c.padding, c.h, c.w, y.H, y.W, c.oh, c.ow)
		}
	}
}

func TestConcat(t *testing.T) {
	ws := new(Workspace)
	defer ws.Close()
	a := &Tensor{N: 1, H: 2, W: 1, C: 2, Data: []float32{1, 2, 3, 4}}
	b := &Tensor{N: 1, H: 2, W: 1, C: 1, Data: []float32{5, 6}}
	if y := Concat(ws, a, b); !slices.Equal(y.Data, []float32{1, 2, 5, 3, 4, 6}) {
		t.Errorf("Concat gives %v", y.Data)
	}
}

// TestTimestepFeaturesGolden compares with diffusers; see
// testdata/timesteps.py.
func TestTimestepFeaturesGolden(t *testing.T) {
	s := openGolden(t, "testdata/timesteps.safetensors")
	for _, name := range s.Names() {
		var dim int
		var flip bool
		var shift float32
		if _, err := fmt.Sscanf(name, "%d %t %g", &dim, &flip, &shift); err != nil {
			t.Fatal(err)
		}
		x, _ := s.Lookup(name)
		got := make([]float32, 4*dim)
		for i, timestep := range []float32{0, 1, 849, 999} {
			TimestepFeatures(got[i*dim:][:dim], timestep, flip, shift)
		}
		rms(t, name, got, x.Float32s())
	}
	if n := len(s.Names()); n != 28 {
		t.Errorf("%d cases, want 28", n)
	}

	// Stable unCLIP appends the features of the noise level to the embedding.
	s = openGolden(t, "../solver/testdata/condition.safetensors")
	for name, level := range map[string]float32{"out/level0": 0, "out/level100": 100, "out/level999": 999, "out/level0_noiseless": 0} {
		x, ok := s.Lookup(name)
		if !ok {
			t.Fatalf("no tensor %s", name)
		}
		want := x.Float32s()
		got := make([]float32, len(want)/2)
		TimestepFeatures(got, level, true, 0)
		rms(t, name, got, want[len(got):])
	}
}

// rms fails unless got is want within a relative RMS error of 1e-5.
func rms(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	var diff, norm float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		diff += d * d
		norm += float64(w) * float64(w)
	}
	if e := math.Sqrt(diff / norm); !(e <= 1e-5) && diff != 0 {
		t.Errorf("%s: relative RMS error %.3g", name, e)
	}
}

func openGolden(t *testing.T, path string) *weights.Store {
	t.Helper()
	s, err := weights.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestTimestepFeatures checks get_timestep_embedding(torch.tensor([7.5]), 5,
// flip, shift) of diffusers: an odd length ends in a zero.
func TestTimestepFeatures(t *testing.T) {
	sin7, cos7 := float32(math.Sin(7.5)), float32(math.Cos(7.5))
	got := make([]float32, 5)
	TimestepFeatures(got, 7.5, true, 0)
	near(t, got, []float32{cos7, float32(math.Cos(.075)), sin7, float32(math.Sin(.075)), 0})
	TimestepFeatures(got, 7.5, false, 1)
	near(t, got, []float32{sin7, float32(math.Sin(.00075)), cos7, float32(math.Cos(.00075)), 0})
}

// TestGroupNormGELU runs a norm with an activation that the kernel lacks.
func TestGroupNormGELU(t *testing.T) {
	g := NewGroupNorm(scope(), 6, 3, 1e-5)
	ws := new(Workspace)
	defer ws.Close()
	x := noise(2, 3, 3, 6)
	plain := ws.float32s(g.Forward(ws, x, kernels.Identity, 0))
	kernels.Activate(plain.Data, kernels.GELU)
	near(t, ws.float32s(g.Forward(ws, x, kernels.GELU, 1)).Data, plain.Data)
}

// TestStackedTypes stacks weights of different types.
func TestStackedTypes(t *testing.T) {
	half := weights.SynthTensor("a.weight", []int{2, 3}, 1)
	full := weights.Tensor{Name: "b.weight", DType: weights.F32, Shape: []int{2, 3}, Data: float32Bytes(weights.SynthTensor("b.weight", []int{2, 3}, 1))}
	w := &Weight{shape: kernels.Shape{Out: 4, In: 3, KH: 1, KW: 1}, parts: []weights.Tensor{half, full}}
	l := &Linear{Weight: w, Out: 4}
	ws := new(Workspace)
	defer ws.Close()
	x := noise(1, 1, 2, 3)
	want := linear(x.Data, append(half.Float32s(), full.Float32s()...), make([]float32, 4), 3, 4)
	near(t, l.Forward(ws, ws.Fill(x, 0), nil).Data, want)
}

func TestWeightSet(t *testing.T) {
	set := new(WeightSet)
	l := NewLinear(set.Scope(weights.Synthetic(1).Scope()), 8, 8, true)
	if set.Bytes() != 0 {
		t.Error("weights were packed before their first use")
	}
	toExact, toFast := new(Workspace), &Workspace{Precision: kernels.Fast}
	exact, fast := l.Weight.Packed(toExact), l.Weight.Packed(toFast)
	if exact != l.Weight.Packed(toExact) || fast != l.Weight.Packed(toFast) {
		t.Error("weights were packed twice")
	}
	if want := exact.Bytes() + fast.Bytes(); set.Bytes() != want {
		t.Errorf("%d bytes, want %d", set.Bytes(), want)
	}
	if set.Release(); set.Bytes() != 0 {
		t.Error("weights are packed after Release")
	}
}
