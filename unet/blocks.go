package unet

import (
	"github.com/coclico/coclico/nn"
)

// A block is one level of the network on the way down or up, or the middle:
// diffusers' CrossAttnDownBlock2D, DownBlock2D, CrossAttnUpBlock2D, UpBlock2D,
// UNetMidBlock2DCrossAttn and UNetMidBlock2D.
type block struct {
	Resnets     []*nn.ResnetBlock
	Attentions  []*nn.Transformer2D // each after the resnet of the same index
	Downsampler *nn.Downsample      // nil at the lowest level and on the way up
	Upsampler   *nn.Upsample        // nil at the highest level and on the way down

	firstAttention int // index of Attentions[0] in the whole network
}

// A builder makes the blocks in execution order.
type builder struct {
	cfg        Config
	attentions int // number made so far
}

func (b *builder) resnet(s nn.Scope, in, out int) *nn.ResnetBlock {
	return nn.NewResnetBlock(s, nn.ResnetConfig{
		In: in, Out: out, Time: b.cfg.timeDim(),
		Groups: b.cfg.NormNumGroups, Eps: float32(b.cfg.NormEps), Act: b.cfg.act(), Traced: true,
	})
}

// attend adds n transformers to a block.
func (b *builder) attend(k *block, s nn.Scope, level, n int) {
	c := b.cfg
	ch, heads := c.BlockOutChannels[level], c.AttentionHeadDim.At(level)
	k.firstAttention = b.attentions
	b.attentions += n
	for i := range n {
		k.Attentions = append(k.Attentions, nn.NewTransformer2D(s.Sub("attentions").Index(i), nn.TransformerConfig{
			Channels: ch, Heads: heads, Dim: ch / heads, // rounded down, like diffusers
			Context: c.CrossAttentionDim.At(level), Blocks: c.TransformerLayers.At(level),
			Groups: c.NormNumGroups, Linear: c.UseLinearProjection,
		}))
	}
}

// down makes the block of a level on the way down.
func (b *builder) down(s nn.Scope, level int) *block {
	c, k := b.cfg, new(block)
	out := c.BlockOutChannels[level]
	in := c.BlockOutChannels[max(level-1, 0)]
	layers := c.LayersPerBlock.At(level)
	if c.DownBlockTypes[level] == crossDown {
		b.attend(k, s, level, layers)
	}
	for i := range layers {
		k.Resnets = append(k.Resnets, b.resnet(s.Sub("resnets").Index(i), in, out))
		in = out
	}
	if level < c.levels()-1 {
		k.Downsampler = nn.NewDownsample(s.Sub("downsamplers.0"), out, 1)
	}
	return k
}

// middle makes the middle block, or returns nil if the network has none.
func (b *builder) middle(s nn.Scope) *block {
	c := b.cfg
	if c.MidBlockType == "" {
		return nil
	}
	k, level := new(block), c.levels()-1
	ch := c.BlockOutChannels[level]
	if c.MidBlockType == crossMid {
		b.attend(k, s, level, 1)
	}
	for i := range 1 + len(k.Attentions) {
		k.Resnets = append(k.Resnets, b.resnet(s.Sub("resnets").Index(i), ch, ch))
	}
	return k
}

// up makes the block of a level on the way up, which has one layer more than on
// the way down. Every layer reads the stream and the latest unused skip
// connection: first those of the level's layers, then that of the downsampler
// (or conv_in) before them.
func (b *builder) up(s nn.Scope, level int) *block {
	c, k := b.cfg, new(block)
	out := c.BlockOutChannels[level]
	stream := c.BlockOutChannels[min(level+1, c.levels()-1)]
	layers := c.LayersPerBlock.At(level) + 1
	if c.UpBlockTypes[c.levels()-1-level] == crossUp {
		b.attend(k, s, level, layers)
	}
	for i := range layers {
		skip := out
		if i == layers-1 {
			skip = c.BlockOutChannels[max(level-1, 0)]
		}
		k.Resnets = append(k.Resnets, b.resnet(s.Sub("resnets").Index(i), stream+skip, out))
		stream = out
	}
	if level > 0 {
		k.Upsampler = nn.NewUpsample(s.Sub("upsamplers.0"), out)
	}
	return k
}

// layer runs resnet i of a block and the transformer after it, and checks the
// context before each. It consumes x.
func (p *pass) layer(b *block, i int, x *nn.Tensor) (*nn.Tensor, error) {
	if err := p.ctx.Err(); err != nil {
		p.ws.Put(x)
		return nil, err
	}
	x = b.Resnets[i].Forward(p.ws, x, p.time)
	if i >= len(b.Attentions) {
		return x, nil
	}
	if err := p.ctx.Err(); err != nil {
		p.ws.Put(x)
		return nil, err
	}
	return b.Attentions[i].Forward(p.ws, x, p.text.kv[b.firstAttention+i]), nil
}

func (p *pass) down(b *block, x *nn.Tensor) (_ *nn.Tensor, err error) {
	for i := range b.Resnets {
		if x, err = p.layer(b, i, x); err != nil {
			return nil, err
		}
		p.skips = append(p.skips, p.ws.Keep(x))
	}
	if b.Downsampler != nil {
		x = b.Downsampler.Forward(p.ws, x)
		p.skips = append(p.skips, p.ws.Keep(x))
	}
	return x, nil
}

func (p *pass) middle(b *block, x *nn.Tensor) (_ *nn.Tensor, err error) {
	if b == nil {
		return x, nil
	}
	for i := range b.Resnets {
		if x, err = p.layer(b, i, x); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (p *pass) up(b *block, x *nn.Tensor) (_ *nn.Tensor, err error) {
	for i := range b.Resnets {
		last := len(p.skips) - 1
		x = nn.Concat(p.ws, x, p.skips[last])
		p.skips = p.skips[:last]
		if x, err = p.layer(b, i, x); err != nil {
			return nil, err
		}
	}
	if b.Upsampler != nil {
		to := p.skips[len(p.skips)-1]
		x = b.Upsampler.Forward(p.ws, x, to.H, to.W)
	}
	return x, nil
}
