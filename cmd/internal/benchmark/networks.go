package benchmark

import (
	"fmt"
	"time"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/weights"
)

// ramp returns a tensor with values in [-1,1], as networks have as inputs.
func ramp(n, h, w, c int) *nn.Tensor {
	t := &nn.Tensor{N: n, H: h, W: w, C: c, Data: make([]float32, n*h*w*c)}
	for i := range t.Data {
		t.Data[i] = float32(i*7919%2001)/1000 - 1
	}
	return t
}

// release frees a network and resets the peak of memory.
func release(net interface{ Release() }) {
	net.Release()
	ResetPeakMemory()
}

// unet measures one step's evaluation of the UNet: two latents, with and
// without guidance. The time since begin counts as the start.
func (b *bench) unet(m *model.Model, begin time.Time) (Network, error) {
	ResetPeakMemory()
	b.progress("UNet: opening")
	net, err := m.UNet(b.ctx)
	if err != nil {
		return Network{}, err
	}
	defer release(net)
	start := &Start{Open: time.Since(begin).Seconds()}
	b.report.Start = start
	b.ws.Precision = nn.Fast
	text, err := b.prompt(m, net)
	if err != nil {
		return Network{}, err
	}
	start.Prompt = time.Since(begin).Seconds() - start.Open
	cfg := net.Config()
	side := latentSide(cfg)
	x, class := ramp(2, side, side, cfg.InChannels), ramp(2, 1, 1, cfg.ClassEmbeddingsDim)
	return b.measure(fmt.Sprintf("UNet, 2 latents of %dx%d", side, side), nn.Fast, func() error {
		y, err := net.Forward(b.ctx, &b.ws, x, 500, text, class)
		if err == nil {
			b.ws.Put(y)
		}
		return err
	}, func(packing float64) {
		start.Packing, start.FirstStep = packing, time.Since(begin).Seconds()
	})
}

// latentSide returns the model's own size, or a common one if it has none.
func latentSide(cfg unet.Config) int {
	if n := int(cfg.SampleSize); n > 0 {
		return n
	}
	return 64
}

// prompt returns the UNet's text context, as a decode obtains it; nil if the
// UNet has none.
func (b *bench) prompt(m *model.Model, net *unet.Model) (*unet.Context, error) {
	if net.Config().ContextDim() == 0 {
		return nil, nil
	}
	b.progress("prompt")
	text, err := m.PromptEmbeds(b.ctx, false)
	if err != nil {
		return nil, err
	}
	c := net.Context(&b.ws, text)
	b.ws.Close()
	return c, nil
}

// vae measures both halves of the autoencoder, at the UNet's size if there is a
// UNet.
func (b *bench) vae(m *model.Model) (encode, decode Network, err error) {
	cfg, err := m.VAE()
	if err != nil {
		return encode, decode, err
	}
	var u unet.Config
	if m.Folder().Has(weights.UNet) {
		if u, err = m.UNetConfig(); err != nil {
			return encode, decode, err
		}
	}
	latent := latentSide(u)
	side := latent * cfg.Factor()
	if encode, err = b.vaeEncode(m, side, cfg.InChannels); err != nil {
		return encode, decode, err
	}
	dec, err := m.VAEDecoder(b.ctx)
	if err != nil {
		return encode, decode, err
	}
	defer release(dec)
	z := ramp(1, latent, latent, cfg.LatentChannels)
	decode, err = b.measure(fmt.Sprintf("VAE decode, %dx%d", side, side), nn.Fast, func() error {
		y, err := dec.Decode(b.ctx, &b.ws, z)
		if err == nil {
			b.ws.Put(y)
		}
		return err
	}, nil)
	return encode, decode, err
}

func (b *bench) vaeEncode(m *model.Model, side, channels int) (Network, error) {
	b.progress("VAE: opening")
	enc, err := m.VAEEncoder(b.ctx)
	if err != nil {
		return Network{}, err
	}
	defer release(enc)
	x := ramp(1, side, side, channels)
	return b.measure(fmt.Sprintf("VAE encode, %dx%d", side, side), nn.Fast, func() error {
		y, err := enc.Encode(b.ctx, &b.ws, x)
		if err == nil {
			b.ws.Put(y)
		}
		return err
	}, nil)
}

// vit measures the image encoder on one picture, as in an encode.
func (b *bench) vit(m *model.Model) error {
	b.progress("ViT: opening")
	tower, err := m.ImageEncoder(b.ctx)
	if err != nil {
		return err
	}
	defer release(tower)
	cfg := tower.Config()
	x := ramp(1, cfg.ImageSize, cfg.ImageSize, cfg.NumChannels)
	_, err = b.measure(fmt.Sprintf("ViT, 1 picture of %dx%d", cfg.ImageSize, cfg.ImageSize), nn.Exact, func() error {
		y, err := tower.Forward(b.ctx, &b.ws, x)
		if err == nil {
			b.ws.Put(y)
		}
		return err
	}, nil)
	return err
}
