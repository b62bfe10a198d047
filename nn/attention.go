package nn

import (
	"math"

	"github.com/coclico/coclico/kernels"
)

// Attention is multi-head attention with its projections: diffusers'
// Attention and transformers' CLIPAttention. In self-attention, queries, keys
// and values are one product. In cross-attention, keys and values depend on the
// context alone and are a product of their own, computed once by
// [Attention.Context].
type Attention struct {
	QKV *Linear // to_q, to_k, to_v; nil in cross-attention
	Q   *Linear // to_q;             nil in self-attention
	KV  *Linear // to_k, to_v;       nil in self-attention
	Out *Linear // to_out.0

	heads, dim int // dim is per head; heads*dim may differ from the channels
	causal     bool
}

// AttentionConfig describes an Attention.
type AttentionConfig struct {
	Channels   int  // of the queries' rows and of the result
	Context    int  // channels of the context's rows; 0 for self-attention
	Heads, Dim int  // Dim is the size of a head
	Bias       bool // of queries, keys and values
	Causal     bool // a row attends to itself and the rows before it
	// Names of the projections of query, key, value and result. If empty they
	// are diffusers' current ones: to_q, to_k, to_v, to_out.0.
	Names [4]string
}

// NewAttention reads the projections. That of the result always has a bias.
func NewAttention(s Scope, c AttentionConfig) *Attention {
	n := c.Names
	if n[0] == "" {
		n = [4]string{"to_q", "to_k", "to_v", "to_out.0"}
	}
	inner := c.Heads * c.Dim
	a := &Attention{heads: c.Heads, dim: c.Dim, causal: c.Causal}
	if c.Context == 0 {
		a.QKV = NewStacked(s, c.Channels, inner, c.Bias, n[0], n[1], n[2])
	} else {
		a.Q = NewStacked(s, c.Channels, inner, c.Bias, n[0])
		a.KV = NewStacked(s, c.Context, inner, c.Bias, n[1], n[2])
	}
	a.Out = NewLinear(s.Sub(n[3]), inner, c.Channels, true)
	return a
}

// Self returns res plus the attention of a to itself. It consumes a and res.
func (t *Attention) Self(ws *Workspace, a *Operand, res *Tensor) *Tensor {
	qkv := t.QKV.Operand(ws, a, kernels.Identity)
	ws.PutOperand(a)
	inner := t.heads * t.dim
	q, k, v := view(qkv, 0), view(qkv, inner), view(qkv, 2*inner)
	return t.attend(ws, qkv, q, k, v, res)
}

// Cross returns res plus the attention of a to a context; kv is what Context
// returned for it. It consumes a and res.
func (t *Attention) Cross(ws *Workspace, a, kv *Operand, res *Tensor) *Tensor {
	q := t.Q.Operand(ws, a, kernels.Identity)
	ws.PutOperand(a)
	return t.attend(ws, q, view(q, 0), view(kv, 0), view(kv, t.heads*t.dim), res)
}

// Context returns the keys and values of a context [N,1,L,Context]; N may be 1
// for a context shared by all pictures. They belong to no workspace and stay
// valid when it is closed.
func (t *Attention) Context(ws *Workspace, context *Operand) *Operand {
	kv := NewOperand(ws.Precision, context.N, context.H, context.W, t.KV.Out, 0)
	t.KV.fill(ws, kv, context, kernels.Identity)
	return kv
}

// attend returns res plus the projected attention. It consumes asking, which
// holds the queries, and res.
func (t *Attention) attend(ws *Workspace, asking *Operand, q, k, v kernels.View, res *Tensor) *Tensor {
	o := ws.Operand(asking.N, asking.H, asking.W, t.heads*t.dim, 0)
	scale := float32(1 / math.Sqrt(float64(t.dim)))
	since := ws.clock()
	kernels.Attention(&o.Operand, q, k, v, t.heads, t.dim, scale, t.causal)
	ws.spent(KindAttention, since, 2*flop(asking.N*asking.H*asking.W, k.Op.H*k.Op.W, t.heads*t.dim))
	ws.PutOperand(asking)
	y := t.Out.Forward(ws, o, res)
	ws.PutOperand(o)
	return y
}

func view(o *Operand, col int) kernels.View { return kernels.View{Op: &o.Operand, Col: col} }
