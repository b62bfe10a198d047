package bench

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/kernels/mem"
)

// TestAgainstGonum compares a product of one of the UNet's shapes with
// gonum's, in float64: an oracle that shares no line with package kernels.
func TestAgainstGonum(t *testing.T) {
	const rows, in, out = 300, 320, 96
	a := mat.NewDense(rows, in, nil)
	w := mat.NewDense(out, in, nil)
	x := make([]float32, rows*in)
	for i := range x {
		x[i] = float32(i*7919%2001)/1000 - 1
		a.Set(i/in, i%in, float64(x[i]))
	}
	data := make([]byte, 0, 2*out*in)
	for i := range out * in {
		// bfloat16, which both precisions represent exactly.
		b := math.Float32bits(float32(i*104729%509)/256-1) >> 16
		data = append(data, byte(b), byte(b>>8))
		w.Set(i/in, i%in, float64(math.Float32frombits(b<<16)))
	}
	var want mat.Dense
	want.Mul(a, w.T())
	for _, c := range []struct {
		p     kernels.Precision
		bound float64
	}{{kernels.Exact, 1e-6}, {kernels.Fast, 4e-3}} {
		o := new(kernels.Operand)
		o.Init(mem.Alloc(kernels.OperandBytes(c.p, 1, 1, rows, in, 0)), c.p, 1, 1, rows, in, 0)
		o.Fill(x)
		got := make([]float32, rows*out)
		kernels.MatMul(got, o, kernels.Pack(c.p, kernels.Shape{Out: out, In: in, KH: 1, KW: 1}, kernels.Array{DType: kernels.BF16, Data: data}), kernels.Epilogue{})
		diff := mat.NewDense(rows, out, nil)
		diff.Apply(func(i, j int, v float64) float64 { return float64(got[i*out+j]) - v }, &want)
		if e := mat.Norm(diff, 2) / mat.Norm(&want, 2); !(e <= c.bound) {
			t.Errorf("%v: relative error %.2g, want at most %.2g", c.p, e, c.bound)
		}
	}
}
