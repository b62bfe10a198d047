package nn

import "github.com/coclico/coclico/kernels"

// bandBytes bounds the operand between a norm and a 3x3 convolution. The UNet's
// largest operand, 960 channels of two pictures of 96x96, fits in bfloat16. An
// autoencoder's operand for a picture of 768x768 has up to 340 MB: it is made
// and multiplied a band of rows at a time, at the price of normalizing the row
// above and the row below each band twice. The result is the same, bit for bit.
const bandBytes = 40 << 20

// bandRows returns the number of rows of a picture of x to process at a time,
// and whether that is less than all of x.
func (ws *Workspace) bandRows(x *Tensor, act kernels.Activation) (int, bool) {
	limit := bandBytes
	if ws.band > 0 {
		limit = ws.band
	}
	size := func(n, h int) int { return kernels.OperandBytes(ws.Precision, n, h, x.W, x.C, 1) }
	if size(x.N, x.H) <= limit || act != kernels.Identity && act != kernels.SiLU { // see GroupNorm.Forward
		return x.H, false
	}
	row := size(1, 2) - size(1, 1)
	const tile = kernels.BandRows
	return min(x.H, max(tile, (limit-size(1, 1))/row/tile*tile)), true
}

// A normConv is a norm, an activation and a convolution of stride 1.
type normConv struct {
	norm *GroupNorm
	act  kernels.Activation
	conv *Conv2D
}

// forward returns conv(act(norm(x))) + bias + res. It consumes x and res, which
// may be nil. bias is [Out] or [N,Out], or nil for the convolution's own.
func (c normConv) forward(ws *Workspace, x *Tensor, bias []float32, res *Tensor) *Tensor {
	rows, banded := ws.bandRows(x, c.act)
	if !banded {
		a := c.norm.Forward(ws, x, c.act, 1)
		ws.Put(x)
		y := c.conv.Forward(ws, a, bias, res)
		ws.PutOperand(a)
		return y
	}
	dst, e := ws.target(res, x.N, x.H, x.W, c.conv.Out)
	e.Bias = bias
	p := c.begin(ws, x, dst, e)
	for n := range x.N {
		for y := 0; y < x.H; y += rows {
			p.band(n, y, min(rows, x.H-y), nil)
		}
	}
	ws.unpack()
	ws.Put(x)
	ws.drop(res, dst)
	return dst
}

// forwardWith returns conv(act(norm(x))) + bias and shortcut(x), and consumes
// x.
//
// Where it fits, the shortcut is written over x, and the gap that opens between
// the last row of the shortcut and the next row of x is released band by band:
// both results together take no more resident memory than x did.
func (c normConv) forwardWith(ws *Workspace, shortcut *Linear, x *Tensor, bias []float32) (h, s *Tensor) {
	rows, banded := ws.bandRows(x, c.act)
	if !banded {
		a := c.norm.Forward(ws, x, c.act, 1)
		s = shortcut.Rows(ws, x) // now, because x is larger than its shortcut
		h = c.conv.Forward(ws, a, bias, nil)
		ws.PutOperand(a)
		return h, s
	}
	last := ws.Get(1, 1, x.W, x.C) // a band's last row, overwritten before the next band reads it
	h, s = ws.Get(x.N, x.H, x.W, c.conv.Out), shortcut.over(ws, x)
	p := c.begin(ws, x, h, kernels.Epilogue{Bias: bias})
	w, out := shortcut.Weight.Packed(ws), shortcut.Out
	for n := range x.N {
		var above []float32
		for y := 0; y < x.H; y += rows {
			k := min(rows, x.H-y)
			p.band(n, y, k, above)
			from, to := (n*x.H+y)*x.W, (n*x.H+y+k)*x.W
			above = last.Data
			copy(above, x.Data[(to-x.W)*x.C:to*x.C])
			shortcut.rows(ws, s.Data[from*out:to*out], x.Data[from*x.C:to*x.C], x.C, w)
			if s == x {
				ws.discard(x, max(to*out, from*x.C), to*x.C)
			}
		}
	}
	ws.unpack()
	ws.Put(last)
	shortcut.finish(ws, s, x)
	return h, s
}

// A bandPass is a normConv on its way through a tensor.
type bandPass struct {
	normConv
	ws     *Workspace
	x, dst *Tensor
	e      kernels.Epilogue // for all of dst
	w      *kernels.Packed
}

// begin measures the norm of x.
func (c normConv) begin(ws *Workspace, x, dst *Tensor, e kernels.Epilogue) bandPass {
	if e.Bias == nil {
		e.Bias = c.conv.Bias.Float32s()
	}
	p := bandPass{c, ws, x, dst, e, c.conv.Weight.Packed(ws)}
	since := ws.clock()
	ws.norm.Measure(x.Data, c.norm.Weight.Float32s(), c.norm.Bias.Float32s(), x.N, x.H, x.W, c.norm.groups, c.norm.eps)
	ws.spent(KindNorm, since, 0)
	return p
}

// band computes rows [y,y+rows) of picture n. above, if not nil, is row y-1
// of x.
func (p *bandPass) band(n, y, rows int, above []float32) {
	ws, out := p.ws, p.conv.Out
	a := ws.Operand(1, rows, p.x.W, p.x.C, 1)
	since := ws.clock()
	ws.norm.Apply(&a.Operand, n, y, above, p.act == kernels.SiLU)
	ws.spent(KindNorm, since, 0)
	e := p.e
	if len(e.Bias) > out {
		e.Bias = e.Bias[n*out : (n+1)*out]
	}
	from := (n*p.x.H + y) * p.x.W * out
	to := from + rows*p.x.W*out
	if e.Residual != nil {
		e.Residual = e.Residual[from:to]
	}
	p.conv.convolve(ws, p.dst.Data[from:to], a, p.w, e)
	ws.PutOperand(a)
}
