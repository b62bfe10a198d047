package vae

import (
	"context"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// Model is an encoder and a decoder.
type Model struct {
	*Encoder
	*Decoder
}

// New reads both halves from the scope of their file. c must be valid.
func New(scope *weights.Scope, c Config) *Model {
	return &Model{newEncoder(scope, c), newDecoder(scope, c)}
}

// Config returns the model's configuration.
func (m *Model) Config() Config { return m.Encoder.cfg }

// Release drops the packed weights; the next call packs them again.
func (m *Model) Release() {
	m.Encoder.Release()
	m.Decoder.Release()
}

// Encoder turns pictures into latents. It is safe for concurrent use if every
// goroutine has its own workspace. Fields are named as in the checkpoint.
type Encoder struct {
	cfg     Config
	weights *nn.WeightSet

	ConvIn      *nn.Conv2D
	DownBlocks  []*block
	MidBlock    *midBlock
	ConvNormOut *nn.GroupNorm
	ConvOut     *nn.Conv2D
	QuantConv   *nn.Linear // nil without use_quant_conv
}

// NewEncoder reads an encoder and ignores the decoder in the file.
func NewEncoder(scope *weights.Scope, c Config) *Encoder {
	scope.Ignore("decoder", "post_quant_conv")
	return newEncoder(scope, c)
}

func newEncoder(scope *weights.Scope, c Config) *Encoder {
	e := &Encoder{cfg: c, weights: new(nn.WeightSet)}
	root := e.weights.Scope(scope)
	s := root.Sub("encoder")
	ch := c.BlockOutChannels
	last := len(ch) - 1
	e.ConvIn = nn.NewConv2D(s.Sub("conv_in"), c.InChannels, ch[0])
	for i := range ch {
		s := s.Sub("down_blocks").Index(i)
		b := newBlock(s, c, ch[max(i-1, 0)], ch[i], c.LayersPerBlock)
		if i < last {
			b.Downsampler = nn.NewDownsample(s.Sub("downsamplers.0"), ch[i], 0)
		}
		e.DownBlocks = append(e.DownBlocks, b)
	}
	e.MidBlock = newMidBlock(s.Sub("mid_block"), c)
	e.ConvNormOut = nn.NewGroupNorm(s.Sub("conv_norm_out"), ch[last], c.NormNumGroups, eps)
	e.ConvOut = nn.NewConv2D(s.Sub("conv_out"), ch[last], 2*c.LatentChannels)
	if c.UseQuantConv {
		e.QuantConv = nn.NewConv1x1(root.Sub("quant_conv"), 2*c.LatentChannels, 2*c.LatentChannels)
	}
	return e
}

// Release drops the packed weights; the next Encode packs them again.
func (e *Encoder) Release() { e.weights.Release() }

// Encode returns the unscaled posterior mean [N,h,w,LatentChannels] of pictures
// [N,H,W,InChannels] in [-1,1]. The sides of the latent are those of the
// picture divided by [Config.Factor], rounded down; both must be at least 1.
// Encode does not consume image, and the caller must Put the result. The error
// is that of ctx.
func (e *Encoder) Encode(ctx context.Context, ws *nn.Workspace, image *nn.Tensor) (*nn.Tensor, error) {
	if f := e.cfg.Factor(); image.C != e.cfg.InChannels || image.H < f || image.W < f {
		panic("vae: picture is too small or has the wrong number of channels")
	}
	ws.Reserve(image.N, image.H, image.W, e.cfg.BlockOutChannels[0])
	x := e.ConvIn.Apply(ws, ws.Keep(image))
	var err error
	for _, b := range e.DownBlocks {
		if x, err = b.forward(ctx, ws, x); err != nil {
			return nil, err
		}
	}
	if x, err = e.MidBlock.forward(ctx, ws, x); err != nil {
		return nil, err
	}
	x = finish(ws, e.ConvNormOut, e.ConvOut, x)
	if e.QuantConv != nil {
		x = e.QuantConv.Rows(ws, x)
	}
	// The second half of the channels is the logarithm of the variance.
	c := e.cfg.LatentChannels
	mean := ws.Get(x.N, x.H, x.W, c)
	for i := range x.Rows() {
		copy(mean.Data[i*c:(i+1)*c], x.Data[2*i*c:])
	}
	ws.Put(x)
	return mean, nil
}

// Decoder turns latents into pictures. It is safe for concurrent use if every
// goroutine has its own workspace. Fields are named as in the checkpoint.
type Decoder struct {
	cfg     Config
	weights *nn.WeightSet

	PostQuantConv *nn.Linear // nil without use_post_quant_conv
	ConvIn        *nn.Conv2D
	MidBlock      *midBlock
	UpBlocks      []*block
	ConvNormOut   *nn.GroupNorm
	ConvOut       *nn.Conv2D
}

// NewDecoder reads a decoder and ignores the encoder in the file.
func NewDecoder(scope *weights.Scope, c Config) *Decoder {
	scope.Ignore("encoder", "quant_conv")
	return newDecoder(scope, c)
}

func newDecoder(scope *weights.Scope, c Config) *Decoder {
	d := &Decoder{cfg: c, weights: new(nn.WeightSet)}
	root := d.weights.Scope(scope)
	s := root.Sub("decoder")
	ch := c.BlockOutChannels
	last := len(ch) - 1
	if c.UsePostQuantConv {
		d.PostQuantConv = nn.NewConv1x1(root.Sub("post_quant_conv"), c.LatentChannels, c.LatentChannels)
	}
	d.ConvIn = nn.NewConv2D(s.Sub("conv_in"), c.LatentChannels, ch[last])
	d.MidBlock = newMidBlock(s.Sub("mid_block"), c)
	for i := range ch {
		s, level := s.Sub("up_blocks").Index(i), last-i
		b := newBlock(s, c, ch[min(level+1, last)], ch[level], c.LayersPerBlock+1)
		if level > 0 {
			b.Upsampler = nn.NewUpsample(s.Sub("upsamplers.0"), ch[level])
		}
		d.UpBlocks = append(d.UpBlocks, b)
	}
	d.ConvNormOut = nn.NewGroupNorm(s.Sub("conv_norm_out"), ch[0], c.NormNumGroups, eps)
	d.ConvOut = nn.NewConv2D(s.Sub("conv_out"), ch[0], c.OutChannels)
	return d
}

// Release drops the packed weights; the next Decode packs them again.
func (d *Decoder) Release() { d.weights.Release() }

// Decode returns the pictures [N,H,W,OutChannels] of unscaled latents
// [N,h,w,LatentChannels]; H and W are h and w times [Config.Factor]. Values are
// about [-1,1] and not clamped. Decode does not consume latent, and the caller
// must Put the result. The error is that of ctx.
func (d *Decoder) Decode(ctx context.Context, ws *nn.Workspace, latent *nn.Tensor) (*nn.Tensor, error) {
	if latent.C != d.cfg.LatentChannels {
		panic("vae: latent with the wrong number of channels")
	}
	ch, f := d.cfg.BlockOutChannels, d.cfg.Factor()
	ws.Reserve(latent.N, f*latent.H, f*latent.W, ch[min(1, len(ch)-1)]) // after the last upsampler
	x := ws.Keep(latent)
	if d.PostQuantConv != nil {
		x = d.PostQuantConv.Rows(ws, x)
	}
	x, err := d.MidBlock.forward(ctx, ws, d.ConvIn.Apply(ws, x))
	if err != nil {
		return nil, err
	}
	for _, b := range d.UpBlocks {
		if x, err = b.forward(ctx, ws, x); err != nil {
			return nil, err
		}
	}
	return finish(ws, d.ConvNormOut, d.ConvOut, x), nil
}

// finish runs the last norm and convolution. It consumes x. The activation is
// SiLU, whatever act_fn says.
func finish(ws *nn.Workspace, norm *nn.GroupNorm, conv *nn.Conv2D, x *nn.Tensor) *nn.Tensor {
	a := norm.Forward(ws, x, nn.SiLU, 1)
	ws.Put(x)
	y := conv.Forward(ws, a, nil, nil)
	ws.PutOperand(a)
	return y
}
