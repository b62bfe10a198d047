package nn

import (
	"math"

	"github.com/coclico/coclico/kernels"
)

// TimestepEmbedding is diffusers' layer of that name: linear_1, an activation,
// linear_2. It also embeds class vectors.
type TimestepEmbedding struct {
	Linear1 *Linear
	Linear2 *Linear

	act  kernels.Activation
	name string
}

// NewTimestepEmbedding reads linear_1 [out,in] and linear_2 [out,out].
func NewTimestepEmbedding(s Scope, in, out int, act kernels.Activation) *TimestepEmbedding {
	return &TimestepEmbedding{
		Linear1: NewLinear(s.Sub("linear_1"), in, out, true),
		Linear2: NewLinear(s.Sub("linear_2"), out, out, true),
		act:     act,
		name:    s.Path(),
	}
}

// Forward consumes x [N,1,1,In].
func (e *TimestepEmbedding) Forward(ws *Workspace, x *Tensor) *Tensor {
	a := ws.Fill(x, 0)
	ws.Put(x)
	h := e.Linear1.Operand(ws, a, e.act)
	ws.PutOperand(a)
	y := e.Linear2.Forward(ws, h, nil)
	ws.PutOperand(h)
	ws.Emit(e.name, y)
	return y
}

// TimestepFeatures fills dst, of any length, with the sinusoids of a timestep
// (get_timestep_embedding, diffusers:src/diffusers/models/embeddings.py). With
// half = len(dst)/2 and w[i] = 10000^(-i/(half-shift)) they are sin(t*w[i]),
// then cos(t*w[i]), or the cosines first if flip is set; an odd length ends in
// a zero. shift is diffusers' downscale_freq_shift and differs from half.
//
// Frequencies and angles round to float32 as PyTorch's do: t*w[i] reaches 1000
// radians, where one unit in the last place of w[i] is 6e-5. At t = 999 the
// rounding moves an angle by up to 3e-5.
func TimestepFeatures(dst []float32, t float32, flip bool, shift float32) {
	half := len(dst) / 2
	sin, cos := dst[:half], dst[half:2*half]
	if flip {
		sin, cos = cos, sin
	}
	scale := float32(-math.Log(10000))
	for i := range half {
		exponent := float32(scale*float32(i)) / (float32(half) - shift)
		angle := t * float32(math.Exp(float64(exponent)))
		s, c := math.Sincos(float64(angle))
		sin[i], cos[i] = float32(s), float32(c)
	}
	if len(dst)%2 == 1 {
		dst[len(dst)-1] = 0
	}
}
