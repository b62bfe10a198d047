package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFewOutputs has every part of an epilogue after a convolution with few
// outputs, in rows that are no whole vector.
func TestFewOutputs(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(11, 12))
		for out := 1; out <= fewOutputs; out++ {
			const n, h, w, in = 2, 18, 7, 20
			o := newOperand(p, n, h, w, in, 1)
			o.Fill(integers(r, n*h*w*in))
			weights, _ := array(integers(r, out*in*9), F16)
			packed := Pack(p, Shape{Out: out, In: in, KH: 3, KW: 3}, weights)
			sums, dst := make([]float32, n*h*w*out), make([]float32, n*h*w*out)
			Conv2D(sums, o, packed, 1, 0, Epilogue{})
			bias, residual := integers(r, n*out), integers(r, n*h*w*out)
			copy(dst, residual)
			Conv2D(dst, o, packed, 1, 0, Epilogue{Bias: bias, Act: SiLU, Residual: dst})
			for i, y := range dst {
				x := float64(sums[i] + bias[i/(h*w*out)*out+i%out])
				want := x/(1+math.Exp(-x)) + float64(residual[i])
				if math.Abs(float64(y)-want) > 1e-5*max(1, math.Abs(want)) {
					t.Fatalf("%d outputs: element %d is %g, want %g", out, i, y, want)
				}
			}
		}
	})
}
