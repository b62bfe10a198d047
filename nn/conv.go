package nn

import "github.com/coclico/coclico/kernels"

// Conv2D is a convolution of kernel size 3.
type Conv2D struct {
	Weight *Weight // [Out,In,3,3]
	Bias   *Vector // [Out]
	Out    int
	Act    Activation // of the result, before res is added
	stride int
	origin int // 0: padding 1 on every side; 1: padding right and bottom only
}

// NewConv2D reads weight [out,in,3,3] and bias [out] of a convolution of
// stride 1 and padding 1.
func NewConv2D(s Scope, in, out int) *Conv2D {
	return &Conv2D{
		Weight: newWeight(s, kernels.Shape{Out: out, In: in, KH: 3, KW: 3}, []int{in, 3, 3}, ""),
		Bias:   newVector(s, out, "bias"),
		Out:    out,
		stride: 1,
	}
}

// NewStridedConv2D is like [NewConv2D] with a stride of 1 or 2: the sides are
// divided by it, rounding up.
func NewStridedConv2D(s Scope, in, out, stride int) *Conv2D {
	c := NewConv2D(s, in, out)
	c.stride = stride
	return c
}

// Forward convolves a, whose Pad is 1, and adds res, which may be nil and is
// consumed. bias is [Out] or [N,Out], or nil for the layer's own.
func (c *Conv2D) Forward(ws *Workspace, a *Operand, bias []float32, res *Tensor) *Tensor {
	h, w := a.H/c.stride, a.W/c.stride
	if c.origin == 0 {
		h, w = (a.H+c.stride-1)/c.stride, (a.W+c.stride-1)/c.stride
	}
	dst, e := ws.target(res, a.N, h, w, c.Out)
	if e.Bias = bias; bias == nil {
		e.Bias = c.Bias.Float32s()
	}
	c.convolve(ws, dst.Data, a, c.Weight.Packed(ws), e)
	ws.unpack()
	ws.drop(res, dst)
	return dst
}

func (c *Conv2D) convolve(ws *Workspace, dst []float32, a *Operand, w *kernels.Packed, e kernels.Epilogue) {
	e.Act = c.Act
	since := ws.clock()
	kernels.Conv2D(dst, &a.Operand, w, c.stride, c.origin, e)
	ws.spent(KindConv, since, flop(len(dst)/c.Out, c.Out, 9*a.C))
}

// Apply narrows and convolves x. It consumes x.
func (c *Conv2D) Apply(ws *Workspace, x *Tensor) *Tensor {
	a := ws.Fill(x, 1)
	ws.Put(x)
	y := c.Forward(ws, a, nil, nil)
	ws.PutOperand(a)
	return y
}
