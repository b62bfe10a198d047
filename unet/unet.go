package unet

import (
	"context"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// Model is the network. It is safe for concurrent use if every goroutine has
// its own workspace. Fields are named as in the checkpoint.
type Model struct {
	cfg     Config
	weights *nn.WeightSet

	ConvIn         *nn.Conv2D
	TimeEmbedding  *nn.TimestepEmbedding
	ClassEmbedding *nn.TimestepEmbedding // nil without a class vector
	DownBlocks     []*block
	MidBlock       *block // nil without a middle block
	UpBlocks       []*block
	ConvNormOut    *nn.GroupNorm
	ConvOut        *nn.Conv2D
}

// New reads the model from the scope of its file. c must be valid.
func New(scope *weights.Scope, c Config) *Model {
	m := &Model{cfg: c, weights: new(nn.WeightSet)}
	s := m.weights.Scope(scope)
	b := &builder{cfg: c}
	first, last := c.BlockOutChannels[0], c.levels()-1
	m.ConvIn = nn.NewConv2D(s.Sub("conv_in"), c.InChannels, first)
	m.TimeEmbedding = nn.NewTimestepEmbedding(s.Sub("time_embedding"), first, c.timeDim(), c.act())
	if c.ClassEmbedType != "" {
		m.ClassEmbedding = nn.NewTimestepEmbedding(s.Sub("class_embedding"), c.ClassEmbeddingsDim, c.timeDim(), nn.SiLU)
	}
	for i := range c.levels() {
		m.DownBlocks = append(m.DownBlocks, b.down(s.Sub("down_blocks").Index(i), i))
	}
	m.MidBlock = b.middle(s.Sub("mid_block"))
	for i := range c.levels() {
		m.UpBlocks = append(m.UpBlocks, b.up(s.Sub("up_blocks").Index(i), last-i))
	}
	m.ConvNormOut = nn.NewGroupNorm(s.Sub("conv_norm_out"), first, c.NormNumGroups, float32(c.NormEps))
	m.ConvOut = nn.NewConv2D(s.Sub("conv_out"), first, c.OutChannels)
	return m
}

// Config returns the model's configuration.
func (m *Model) Config() Config { return m.cfg }

// Release drops the packed weights; the next Forward packs them again.
func (m *Model) Release() { m.weights.Release() }

// A Context holds the keys and values of all cross-attentions for a text
// context.
type Context struct {
	n         int // number of pictures; 1 if all share the context
	precision nn.Precision
	kv        [][]*nn.Operand // by transformer, and block in the transformer
}

// Context prepares a text context [N,1,L,ContextDim] for [Model.Forward] at the
// precision of ws. N may be 1 for a context shared by all pictures. Context
// does not consume text, and its result belongs to no workspace.
func (m *Model) Context(ws *nn.Workspace, text *nn.Tensor) *Context {
	if text.C != m.cfg.ContextDim() {
		panic("unet: context of the wrong width")
	}
	c := &Context{n: text.N, precision: ws.Precision}
	a := ws.Fill(text, 0)
	blocks := append(append(append([]*block{}, m.DownBlocks...), m.MidBlock), m.UpBlocks...)
	for _, b := range blocks {
		if b == nil {
			continue
		}
		for _, t := range b.Attentions {
			c.kv = append(c.kv, t.Context(ws, a))
		}
	}
	ws.PutOperand(a)
	return c
}

// A pass is one evaluation of the network.
type pass struct {
	ctx   context.Context
	ws    *nn.Workspace
	time  *nn.Operand // activated embedding of timestep and class vector [N,1,1,T]
	text  *Context
	skips []*nn.Tensor
}

// Forward evaluates the network on a batch of latents [N,h,w,InChannels] of any
// size, all at timestep t, and returns [N,h,w,OutChannels].
//
// text is nil if the configuration has no cross-attention. class holds the
// class vectors [N,1,1,ClassEmbeddingsDim], or is nil if the configuration has
// no class embedding. Forward does not consume its arguments, and the caller
// must Put the result.
//
// The error is that of ctx, which is checked before every residual block and
// every transformer.
func (m *Model) Forward(ctx context.Context, ws *nn.Workspace, sample *nn.Tensor, t float32, text *Context, class *nn.Tensor) (*nn.Tensor, error) {
	m.check(ws, sample, text, class)
	ch := m.cfg.BlockOutChannels // the largest tensor: the first level's stream joined with a skip connection
	ws.Reserve(sample.N, sample.H, sample.W, ch[min(1, len(ch)-1)]+ch[0])
	p := &pass{ctx: ctx, ws: ws, text: text, time: m.embed(ws, sample.N, t, class)}
	x, err := m.run(p, sample)
	ws.PutOperand(p.time)
	for _, s := range p.skips { // none, unless ctx was canceled
		ws.Put(s)
	}
	return x, err
}

func (m *Model) check(ws *nn.Workspace, sample *nn.Tensor, text *Context, class *nn.Tensor) {
	switch {
	case sample.C != m.cfg.InChannels:
		panic("unet: sample with the wrong number of channels")
	case (text != nil) != (m.cfg.ContextDim() > 0), text != nil && text.n != 1 && text.n != sample.N:
		panic("unet: text context is missing, unexpected or of another batch size")
	case text != nil && text.precision != ws.Precision:
		panic("unet: text context of another precision")
	case (class != nil) != (m.ClassEmbedding != nil), class != nil && (class.Rows() != sample.N || class.C != m.cfg.ClassEmbeddingsDim):
		panic("unet: class vectors are missing, unexpected or of the wrong shape")
	}
}

func (m *Model) run(p *pass, sample *nn.Tensor) (*nn.Tensor, error) {
	x := m.ConvIn.Apply(p.ws, m.center(p.ws, sample))
	p.skips = append(p.skips, p.ws.Keep(x))
	var err error
	for _, b := range m.DownBlocks {
		if x, err = p.down(b, x); err != nil {
			return nil, err
		}
	}
	if x, err = p.middle(m.MidBlock, x); err != nil {
		return nil, err
	}
	for _, b := range m.UpBlocks {
		if x, err = p.up(b, x); err != nil {
			return nil, err
		}
	}
	a := m.ConvNormOut.Forward(p.ws, x, m.cfg.act(), 1)
	p.ws.Put(x)
	y := m.ConvOut.Forward(p.ws, a, nil, nil)
	p.ws.PutOperand(a)
	return y, nil
}

// center returns 2*sample - 1 if the configuration wants it, and otherwise the
// sample itself, for the caller to consume.
func (m *Model) center(ws *nn.Workspace, sample *nn.Tensor) *nn.Tensor {
	if !m.cfg.CenterInputSample {
		return ws.Keep(sample)
	}
	x := ws.Get(sample.N, sample.H, sample.W, sample.C)
	for i, v := range sample.Data {
		x.Data[i] = 2*v - 1
	}
	return x
}

// embed returns the activated sum of the embeddings of timestep and class
// vector.
func (m *Model) embed(ws *nn.Workspace, n int, t float32, class *nn.Tensor) *nn.Operand {
	f := ws.Get(n, 1, 1, m.cfg.BlockOutChannels[0])
	for i := range n {
		nn.TimestepFeatures(f.Data[i*f.C:(i+1)*f.C], t, m.cfg.FlipSinToCos, m.cfg.FreqShift)
	}
	ws.Emit("time_proj", f)
	e := m.TimeEmbedding.Forward(ws, f)
	if m.ClassEmbedding != nil {
		c := m.ClassEmbedding.Forward(ws, ws.Keep(class))
		for i, v := range c.Data {
			e.Data[i] += v
		}
		ws.Put(c)
	}
	nn.Activate(e.Data, m.cfg.act())
	a := ws.Fill(e, 0)
	ws.Put(e)
	return a
}
