package nn

import "github.com/coclico/coclico/kernels"

// ResnetBlock is diffusers' ResnetBlock2D:
//
//	h = conv1(act(norm1(x))) + time_emb_proj(act(temb))
//	y = conv_shortcut(x) + conv2(act(norm2(h)))
type ResnetBlock struct {
	Norm1        *GroupNorm
	Conv1        *Conv2D
	TimeEmbProj  *Linear // nil in the VAE
	Norm2        *GroupNorm
	Conv2        *Conv2D
	ConvShortcut *Linear // nil when the channels agree

	act  kernels.Activation
	name string // empty if not traced
}

// ResnetConfig describes a ResnetBlock.
type ResnetConfig struct {
	In, Out int
	Time    int // channels of the time embedding, 0 for none
	Groups  int
	Eps     float32
	Act     kernels.Activation
	Traced  bool // Trace gets its output
}

// NewResnetBlock reads a block.
func NewResnetBlock(s Scope, c ResnetConfig) *ResnetBlock {
	b := &ResnetBlock{
		Norm1: NewGroupNorm(s.Sub("norm1"), c.In, c.Groups, c.Eps),
		Conv1: NewConv2D(s.Sub("conv1"), c.In, c.Out),
		act:   c.Act,
	}
	if c.Traced {
		b.name = s.Path()
	}
	if c.Time > 0 {
		b.TimeEmbProj = NewLinear(s.Sub("time_emb_proj"), c.Time, c.Out, true)
	}
	b.Norm2 = NewGroupNorm(s.Sub("norm2"), c.Out, c.Groups, c.Eps)
	b.Conv2 = NewConv2D(s.Sub("conv2"), c.Out, c.Out)
	if c.In != c.Out {
		b.ConvShortcut = NewConv1x1(s.Sub("conv_shortcut"), c.In, c.Out)
	}
	return b
}

// Forward consumes x [N,H,W,In] and returns [N,H,W,Out]. temb is the activated
// time embedding [N,1,1,Time], or nil in the VAE; it is not consumed.
func (b *ResnetBlock) Forward(ws *Workspace, x *Tensor, temb *Operand) *Tensor {
	h, x := b.first(ws, x, temb)
	y := normConv{b.Norm2, b.act, b.Conv2}.forward(ws, h, nil, x)
	ws.Emit(b.name, y)
	return y
}

// first returns h and the shortcut s, and consumes x. The projected time
// embedding is a bias that differs from picture to picture.
func (b *ResnetBlock) first(ws *Workspace, x *Tensor, temb *Operand) (h, s *Tensor) {
	c := normConv{b.Norm1, b.act, b.Conv1}
	var bias []float32
	if b.TimeEmbProj != nil {
		t := b.TimeEmbProj.Forward(ws, temb, nil)
		defer ws.Put(t)
		own := b.Conv1.Bias.Float32s()
		for i := range t.Data {
			t.Data[i] += own[i%len(own)]
		}
		bias = t.Data
	}
	if b.ConvShortcut != nil {
		return c.forwardWith(ws, b.ConvShortcut, x, bias)
	}
	return c.forward(ws, ws.Keep(x), bias, nil), x
}
