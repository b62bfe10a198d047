package nn

import "github.com/coclico/coclico/kernels"

// TransformerBlock is diffusers' BasicTransformerBlock: self-attention,
// cross-attention and a gated feed-forward layer, each preceded by a LayerNorm
// and added to the stream.
type TransformerBlock struct {
	Norm1 *LayerNorm
	Attn1 *Attention
	Norm2 *LayerNorm
	Attn2 *Attention
	Norm3 *LayerNorm
	Proj  *Linear // ff.net.0.proj, GEGLU
	Out   *Linear // ff.net.2

	name string
}

// TransformerConfig describes a Transformer2D.
type TransformerConfig struct {
	Channels   int
	Heads, Dim int
	Context    int // channels of the context
	Blocks     int
	Groups     int
	Linear     bool // use_linear_projection; otherwise a 1x1 convolution
}

// NewTransformerBlock reads a block of Heads*Dim channels.
func NewTransformerBlock(s Scope, c TransformerConfig) *TransformerBlock {
	const eps = 1e-5
	inner := c.Heads * c.Dim
	self := AttentionConfig{Channels: inner, Heads: c.Heads, Dim: c.Dim}
	cross := self
	cross.Context = c.Context
	return &TransformerBlock{
		Norm1: NewLayerNorm(s.Sub("norm1"), inner, eps),
		Attn1: NewAttention(s.Sub("attn1"), self),
		Norm2: NewLayerNorm(s.Sub("norm2"), inner, eps),
		Attn2: NewAttention(s.Sub("attn2"), cross),
		Norm3: NewLayerNorm(s.Sub("norm3"), inner, eps),
		Proj:  NewGEGLU(s.Sub("ff.net.0.proj"), inner, 4*inner),
		Out:   NewLinear(s.Sub("ff.net.2"), 4*inner, inner, true),
		name:  s.Path(),
	}
}

// Forward consumes x [N,H,W,C]. kv are the keys and values of the context.
func (b *TransformerBlock) Forward(ws *Workspace, x *Tensor, kv *Operand) *Tensor {
	x = b.Attn1.Self(ws, b.Norm1.Forward(ws, x), x)
	x = b.Attn2.Cross(ws, b.Norm2.Forward(ws, x), kv, x)
	a := b.Norm3.Forward(ws, x)
	g := b.Proj.Operand(ws, a, kernels.Identity)
	ws.PutOperand(a)
	x = b.Out.Forward(ws, g, x)
	ws.PutOperand(g)
	ws.Emit(b.name, x)
	return x
}

// Transformer2D is diffusers' Transformer2DModel on pictures: a norm, a
// projection, blocks that see the pixels as tokens, and a projection to which
// the input is added.
type Transformer2D struct {
	Norm              *GroupNorm
	ProjIn            *Linear
	TransformerBlocks []*TransformerBlock
	ProjOut           *Linear

	name string
}

// NewTransformer2D reads a transformer.
func NewTransformer2D(s Scope, c TransformerConfig) *Transformer2D {
	inner := c.Heads * c.Dim
	project := NewConv1x1
	if c.Linear {
		project = func(s Scope, in, out int) *Linear { return NewLinear(s, in, out, true) }
	}
	t := &Transformer2D{
		Norm:   NewGroupNorm(s.Sub("norm"), c.Channels, c.Groups, 1e-6),
		ProjIn: project(s.Sub("proj_in"), c.Channels, inner),
		name:   s.Path(),
	}
	for i := range c.Blocks {
		t.TransformerBlocks = append(t.TransformerBlocks, NewTransformerBlock(s.Sub("transformer_blocks").Index(i), c))
	}
	t.ProjOut = project(s.Sub("proj_out"), inner, c.Channels)
	return t
}

// Context returns the keys and values of a context, one operand per block.
func (t *Transformer2D) Context(ws *Workspace, context *Operand) []*Operand {
	var kv []*Operand
	for _, b := range t.TransformerBlocks {
		kv = append(kv, b.Attn2.Context(ws, context))
	}
	return kv
}

// Forward consumes x [N,H,W,C]. kv is a result of Context.
func (t *Transformer2D) Forward(ws *Workspace, x *Tensor, kv []*Operand) *Tensor {
	a := t.Norm.Forward(ws, x, kernels.Identity, 0)
	h := t.ProjIn.Forward(ws, a, nil)
	ws.PutOperand(a)
	for i, b := range t.TransformerBlocks {
		h = b.Forward(ws, h, kv[i])
	}
	a = ws.Fill(h, 0)
	ws.Put(h)
	y := t.ProjOut.Forward(ws, a, x)
	ws.PutOperand(a)
	ws.Emit(t.name, y)
	return y
}
