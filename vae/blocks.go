package vae

import (
	"context"

	"github.com/coclico/coclico/nn"
)

// A block is diffusers' DownEncoderBlock2D or UpDecoderBlock2D.
type block struct {
	Resnets     []*nn.ResnetBlock
	Downsampler *nn.Downsample // nil in the decoder and at the encoder's last level
	Upsampler   *nn.Upsample   // nil in the encoder and at the decoder's last block
}

func newBlock(s nn.Scope, c Config, in, out, layers int) *block {
	b := new(block)
	for i := range layers {
		b.Resnets = append(b.Resnets, nn.NewResnetBlock(s.Sub("resnets").Index(i), c.resnet(in, out)))
		in = out
	}
	return b
}

// forward consumes x. It checks the context before every layer.
func (b *block) forward(ctx context.Context, ws *nn.Workspace, x *nn.Tensor) (*nn.Tensor, error) {
	for _, r := range b.Resnets {
		if err := ctx.Err(); err != nil {
			ws.Put(x)
			return nil, err
		}
		x = r.Forward(ws, x, nil)
	}
	if b.Downsampler != nil {
		x = b.Downsampler.Forward(ws, x)
	}
	if b.Upsampler != nil {
		x = b.Upsampler.Forward(ws, x, 2*x.H, 2*x.W)
	}
	return x, nil
}

// midBlock is diffusers' UNetMidBlock2D: two residual blocks with attention
// over all pixels between them.
type midBlock struct {
	Resnets    [2]*nn.ResnetBlock
	Attentions *attention // attentions.0; nil without mid_block_add_attention
}

func newMidBlock(s nn.Scope, c Config) *midBlock {
	ch := c.BlockOutChannels[len(c.BlockOutChannels)-1]
	m := new(midBlock)
	m.Resnets[0] = nn.NewResnetBlock(s.Sub("resnets.0"), c.resnet(ch, ch))
	if c.MidBlockAddAttention {
		m.Attentions = newAttention(s.Sub("attentions.0"), ch, c.NormNumGroups)
	}
	m.Resnets[1] = nn.NewResnetBlock(s.Sub("resnets.1"), c.resnet(ch, ch))
	return m
}

// forward consumes x.
func (m *midBlock) forward(ctx context.Context, ws *nn.Workspace, x *nn.Tensor) (*nn.Tensor, error) {
	if err := ctx.Err(); err != nil {
		ws.Put(x)
		return nil, err
	}
	x = m.Resnets[0].Forward(ws, x, nil)
	if m.Attentions != nil {
		x = m.Attentions.forward(ws, x)
	}
	if err := ctx.Err(); err != nil {
		ws.Put(x)
		return nil, err
	}
	return m.Resnets[1].Forward(ws, x, nil), nil
}

// attention is self-attention preceded by a norm, with a single head of all
// channels. The result is added to the input.
type attention struct {
	GroupNorm *nn.GroupNorm
	Attention *nn.Attention
	name      string
}

// newAttention reads the projections by their current names, or by the names in
// files older than diffusers 0.17.
func newAttention(s nn.Scope, channels, groups int) *attention {
	return &attention{
		GroupNorm: nn.NewGroupNorm(s.Sub("group_norm"), channels, groups, eps),
		Attention: nn.NewAttention(s, nn.AttentionConfig{
			Channels: channels, Heads: 1, Dim: channels, Bias: true,
			Names: [4]string{
				s.First("to_q", "query"), s.First("to_k", "key"), s.First("to_v", "value"), s.First("to_out.0", "proj_attn"),
			},
		}),
		name: s.Path(),
	}
}

// forward consumes x.
func (a *attention) forward(ws *nn.Workspace, x *nn.Tensor) *nn.Tensor {
	x = a.Attention.Self(ws, a.GroupNorm.Forward(ws, x, nn.Identity, 0), x)
	ws.Emit(a.name, x)
	return x
}
