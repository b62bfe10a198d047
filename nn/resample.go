package nn

import "github.com/coclico/coclico/kernels"

// Downsample is diffusers' Downsample2D: a convolution of stride 2.
type Downsample struct {
	Conv *Conv2D
	name string
}

// NewDownsample reads conv. With padding 1 (the UNet) a side of n becomes
// ceil(n/2). With padding 0 (the VAE's encoder) the picture is padded by one
// zero on the right and at the bottom, and a side becomes floor(n/2).
func NewDownsample(s Scope, channels, padding int) *Downsample {
	conv := NewStridedConv2D(s.Sub("conv"), channels, channels, 2)
	conv.origin = 1 - padding
	return &Downsample{conv, s.Path()}
}

// Forward consumes x [N,H,W,C].
func (d *Downsample) Forward(ws *Workspace, x *Tensor) *Tensor {
	y := d.Conv.Apply(ws, x)
	ws.Emit(d.name, y)
	return y
}

// Upsample is diffusers' Upsample2D: every pixel is repeated in both
// directions, and the result is convolved.
type Upsample struct {
	Conv *Conv2D
	name string
}

// NewUpsample reads conv.
func NewUpsample(s Scope, channels int) *Upsample {
	return &Upsample{NewConv2D(s.Sub("conv"), channels, channels), s.Path()}
}

// Forward consumes x [N,H,W,C] and returns [N,h,w,C], where h is 2H or 2H-1
// and w is 2W or 2W-1. For odd sizes, diffusers interpolates to the nearest
// neighbor floor(i*H/h); with h = 2H-1 that is floor(i/2) too, because
// i*H/(2H-1) = i/2 + i/(2(2H-1)) and the last term is below 1/2.
func (u *Upsample) Forward(ws *Workspace, x *Tensor, h, w int) *Tensor {
	y := u.forward(ws, x, h, w)
	ws.Emit(u.name, y)
	return y
}

func (u *Upsample) forward(ws *Workspace, x *Tensor, h, w int) *Tensor {
	if h == 2*x.H && w == 2*x.W {
		a := ws.Fill(x, 1)
		ws.Put(x)
		y := ws.Get(a.N, h, w, u.Conv.Out)
		weights := u.Conv.Weight.Enlarged(ws)
		since := ws.clock()
		kernels.ConvUp2D(y.Data, &a.Operand, weights, kernels.Epilogue{Bias: u.Conv.Bias.Float32s()})
		ws.spent(KindConv, since, flop(y.Rows(), y.C, 9*a.C))
		ws.unpack()
		ws.PutOperand(a)
		return y
	}
	a := ws.Operand(x.N, h, w, x.C, 1)
	since := ws.clock()
	a.FillUpsampled(x.Data)
	ws.spent(KindOther, since, 0)
	ws.Put(x)
	y := u.Conv.Forward(ws, a, nil, nil)
	ws.PutOperand(a)
	return y
}
