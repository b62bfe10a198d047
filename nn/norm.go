package nn

import "github.com/coclico/coclico/kernels"

// GroupNorm is torch's nn.GroupNorm followed by an activation. Its result is
// the next layer's operand.
type GroupNorm struct {
	Weight, Bias *Vector // [C]
	groups       int
	eps          float32
}

// NewGroupNorm reads weight and bias [channels]. groups divides channels.
func NewGroupNorm(s Scope, channels, groups int, eps float32) *GroupNorm {
	return &GroupNorm{newVector(s, channels, "weight"), newVector(s, channels, "bias"), groups, eps}
}

// Forward returns act(norm(x)) with a border of pad zeros. It does not consume
// x.
func (g *GroupNorm) Forward(ws *Workspace, x *Tensor, act kernels.Activation, pad int) *Operand {
	w, b := g.Weight.Float32s(), g.Bias.Float32s()
	if act == kernels.Identity || act == kernels.SiLU {
		o := ws.Operand(x.N, x.H, x.W, x.C, pad)
		since := ws.clock()
		kernels.GroupNorm(&o.Operand, x.Data, w, b, g.groups, g.eps, act == kernels.SiLU)
		ws.spent(KindNorm, since, 0)
		return o
	}
	// No known checkpoint needs this. The detour over an exact operand and
	// float32 is slow but loses nothing.
	exact := ws.operandAt(kernels.Exact, x.N, x.H, x.W, x.C, 0)
	kernels.GroupNorm(&exact.Operand, x.Data, w, b, g.groups, g.eps, false)
	t := ws.float32s(exact)
	kernels.Activate(t.Data, act)
	o := ws.Fill(t, pad)
	ws.Put(t)
	return o
}

// LayerNorm is torch's nn.LayerNorm over the channels of each row.
type LayerNorm struct {
	Weight, Bias *Vector // [C]
	eps          float32
}

// NewLayerNorm reads weight and bias [channels].
func NewLayerNorm(s Scope, channels int, eps float32) *LayerNorm {
	return &LayerNorm{newVector(s, channels, "weight"), newVector(s, channels, "bias"), eps}
}

// Forward returns the operand of the next product. It does not consume x.
func (l *LayerNorm) Forward(ws *Workspace, x *Tensor) *Operand {
	o := ws.Operand(x.N, x.H, x.W, x.C, 0)
	l.fill(ws, o, x)
	return o
}

// Tensor returns the normalized rows as float32, whatever the precision of the
// products. It consumes x.
func (l *LayerNorm) Tensor(ws *Workspace, x *Tensor) *Tensor {
	o := ws.operandAt(kernels.Exact, x.N, x.H, x.W, x.C, 0)
	l.fill(ws, o, x)
	ws.Put(x)
	return ws.float32s(o)
}

func (l *LayerNorm) fill(ws *Workspace, o *Operand, x *Tensor) {
	since := ws.clock()
	kernels.LayerNorm(&o.Operand, x.Data, l.Weight.Float32s(), l.Bias.Float32s(), l.eps)
	ws.spent(KindNorm, since, 0)
}

// float32s returns the values of o and puts o back.
func (ws *Workspace) float32s(o *Operand) *Tensor {
	t := ws.Get(o.N, o.H, o.W, o.C)
	o.Float32s(t.Data)
	ws.PutOperand(o)
	return t
}
