package nn

import "github.com/coclico/coclico/kernels"

// Linear is torch's nn.Linear, or a convolution of kernel size 1, which is the
// same thing in NHWC. Several layers that read the same input may be one
// Linear.
type Linear struct {
	Weight *Weight // [Out,In]
	Bias   *Vector // [Out], or nil
	Out    int     // columns of the result
}

// NewLinear reads weight [out,in] and, if bias is set, bias [out].
func NewLinear(s Scope, in, out int, bias bool) *Linear {
	return newLinear(s, kernels.Shape{Out: out, In: in, KH: 1, KW: 1}, nil, bias, "")
}

// NewConv1x1 reads weight [out,in,1,1] and bias [out].
func NewConv1x1(s Scope, in, out int) *Linear {
	return newLinear(s, kernels.Shape{Out: out, In: in, KH: 1, KW: 1}, []int{1, 1}, true, "")
}

// NewPatches reads weight [out,in,size,size] of a convolution without bias
// whose stride is its kernel size: a linear layer on rows of in*size*size
// values in the order channel, row, column.
func NewPatches(s Scope, in, out, size int) *Linear {
	shape := kernels.Shape{Out: out, In: in * size * size, KH: 1, KW: 1}
	return &Linear{Weight: newWeight(s, shape, []int{in, size, size}, ""), Out: out}
}

// NewStacked reads the linear layers of the given names, each from in to out
// channels, as one product.
func NewStacked(s Scope, in, out int, bias bool, names ...string) *Linear {
	return newLinear(s, kernels.Shape{Out: out * len(names), In: in, KH: 1, KW: 1}, nil, bias, names...)
}

// NewGEGLU reads a linear layer of 2*out outputs: out values, then out gates.
// The result is value * GELU(gate) (Shazeer, arXiv:2002.05202).
func NewGEGLU(s Scope, in, out int) *Linear {
	l := newLinear(s, kernels.Shape{Out: 2 * out, In: in, KH: 1, KW: 1, GEGLU: true}, nil, true, "")
	l.Out = out
	return l
}

func newLinear(s Scope, shape kernels.Shape, dims []int, bias bool, names ...string) *Linear {
	l := &Linear{Weight: newWeight(s, shape, append([]int{shape.In}, dims...), names...), Out: shape.Out}
	if bias {
		l.Bias = newVector(s, shape.Out, "bias", names...)
	}
	return l
}

// Forward returns a*W + b + res [N,H,W,Out]. It consumes res, which may be nil
// and may become the result.
func (l *Linear) Forward(ws *Workspace, a *Operand, res *Tensor) *Tensor {
	dst, e := ws.target(res, a.N, a.H, a.W, l.Out)
	e.Bias = l.Bias.Float32s()
	l.multiply(ws, dst.Data, a, l.Weight.Packed(ws), e)
	ws.unpack()
	ws.drop(res, dst)
	return dst
}

func (l *Linear) multiply(ws *Workspace, dst []float32, a *Operand, w *kernels.Packed, e kernels.Epilogue) {
	since := ws.clock()
	kernels.MatMul(dst, &a.Operand, w, e)
	ws.spent(KindLinear, since, flop(a.N*a.H*a.W, l.Weight.shape.Out, a.C))
}

// Operand returns act(a*W + b) as the operand of another product.
func (l *Linear) Operand(ws *Workspace, a *Operand, act kernels.Activation) *Operand {
	dst := ws.Operand(a.N, a.H, a.W, l.Out, 0)
	l.fill(ws, dst, a, act)
	return dst
}

func (l *Linear) fill(ws *Workspace, dst, a *Operand, act kernels.Activation) {
	e := kernels.Epilogue{Bias: l.Bias.Float32s(), Act: act}
	w := l.Weight.Packed(ws)
	since := ws.clock()
	kernels.MatMulOperand(&dst.Operand, &a.Operand, w, e)
	ws.spent(KindLinear, since, flop(a.N*a.H*a.W, l.Weight.shape.Out, a.C))
	ws.unpack()
}

// pieceBytes bounds the input of one product in Rows.
const pieceBytes = 8 << 20

// Rows returns x*W + b and consumes x. It narrows a few rows of x at a time, so
// that no operand is as large as x, and writes the result over x if it is not
// wider and x has no other owner: row r of the result ends before row r+1 of x
// begins.
func (l *Linear) Rows(ws *Workspace, x *Tensor) *Tensor {
	dst := l.over(ws, x)
	l.rows(ws, dst.Data[:x.Rows()*l.Out], x.Data, x.C, l.Weight.Packed(ws))
	ws.unpack()
	l.finish(ws, dst, x)
	return dst
}

// over returns the tensor for the product of the rows of x: x itself if the
// result is not wider and x has no other owner. A call of finish must follow.
func (l *Linear) over(ws *Workspace, x *Tensor) *Tensor {
	if ws.owned(x) && l.Out <= x.C {
		return x
	}
	return ws.Get(x.N, x.H, x.W, l.Out)
}

// finish consumes x once dst has all rows.
func (l *Linear) finish(ws *Workspace, dst, x *Tensor) {
	if dst == x {
		ws.shrink(x, l.Out)
	} else {
		ws.Put(x)
	}
}

// rows multiplies x [rows,c] into dst, which may start where x does.
func (l *Linear) rows(ws *Workspace, dst, x []float32, c int, w *kernels.Packed) {
	e := kernels.Epilogue{Bias: l.Bias.Float32s()}
	for len(x) > 0 {
		n := min(len(x)/c, max(1, pieceBytes/(4*c)))
		a := ws.Operand(1, 1, n, c, 0)
		since := ws.clock()
		a.Fill(x[:n*c])
		ws.spent(KindOther, since, 0)
		l.multiply(ws, dst[:n*l.Out], a, w, e)
		ws.PutOperand(a)
		x, dst = x[n*c:], dst[n*l.Out:]
	}
}

// target returns the tensor for a product with residual res: res itself if it
// has no other owner.
func (ws *Workspace) target(res *Tensor, n, h, w, c int) (*Tensor, kernels.Epilogue) {
	switch {
	case res == nil:
		return ws.Get(n, h, w, c), kernels.Epilogue{}
	case ws.owned(res):
		return res, kernels.Epilogue{Residual: res.Data}
	}
	return ws.Get(n, h, w, c), kernels.Epilogue{Residual: res.Data}
}

// drop puts res back unless it became the result.
func (ws *Workspace) drop(res, dst *Tensor) {
	if res != nil && res != dst {
		ws.Put(res)
	}
}
