package benchmark

import (
	"fmt"
	"time"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/unet"
)

// ramp is a tensor of values as networks see them.
func ramp(n, h, w, c int) *nn.Tensor {
	t := &nn.Tensor{N: n, H: h, W: w, C: c, Data: make([]float32, n*h*w*c)}
	for i := range t.Data {
		t.Data[i] = float32(i*7919%2001)/1000 - 1
	}
	return t
}

// released drops a network and forgets the memory that it took.
func released(net interface{ Release() }) {
	net.Release()
	resetPeakMemory()
}

// unet measures one step's evaluation of the UNet: two pictures, without and
// with guidance. The time since begin counts as the start.
func (b *bench) unet(m *model.Model, begin time.Time) error {
	resetPeakMemory()
	b.progress("UNet: opening")
	net, err := m.UNet(b.ctx)
	if err != nil {
		return err
	}
	start := &b.report.Start
	start.Open = time.Since(begin).Seconds()
	b.ws.Precision = nn.Fast
	text, err := b.prompt(m, net)
	if err != nil {
		return err
	}
	start.Prompt = time.Since(begin).Seconds() - start.Open
	cfg := net.Config()
	side := latentSide(cfg)
	x, class := ramp(2, side, side, cfg.InChannels), ramp(2, 1, 1, cfg.ClassEmbeddingsDim)
	defer released(net)
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

// latentSide is the model's own size, or any where it has none.
func latentSide(cfg unet.Config) int {
	if n := int(cfg.SampleSize); n > 0 {
		return n
	}
	return 64
}

// prompt runs the text encoder as a decode does.
func (b *bench) prompt(m *model.Model, net *unet.Model) (*unet.Context, error) {
	if net.Config().ContextDim() == 0 {
		return nil, nil
	}
	b.progress("prompt")
	tower, err := m.TextEncoder(b.ctx)
	if err != nil {
		return nil, err
	}
	text, err := tower.Forward(b.ctx, &b.ws, [][]int{make([]int, tower.Config().MaxPositionEmbeddings)})
	if err != nil {
		return nil, err
	}
	c := net.Context(&b.ws, text)
	b.ws.Close()
	tower.Release()
	return c, nil
}

// vae measures both halves of the autoencoder at the size of the UNet.
func (b *bench) vae(m *model.Model) error {
	cfg, err := m.VAE()
	if err != nil {
		return err
	}
	u, err := m.UNetConfig()
	if err != nil {
		return err
	}
	b.progress("VAE: opening")
	enc, err := m.VAEEncoder(b.ctx)
	if err != nil {
		return err
	}
	latent := latentSide(u)
	side := latent * cfg.Factor()
	x := ramp(1, side, side, cfg.InChannels)
	err = b.measure(fmt.Sprintf("VAE encode, %dx%d", side, side), nn.Fast, func() error {
		y, err := enc.Encode(b.ctx, &b.ws, x)
		if err == nil {
			b.ws.Put(y)
		}
		return err
	}, nil)
	released(enc)
	if err != nil {
		return err
	}
	dec, err := m.VAEDecoder(b.ctx)
	if err != nil {
		return err
	}
	defer released(dec)
	z := ramp(1, latent, latent, cfg.LatentChannels)
	return b.measure(fmt.Sprintf("VAE decode, %dx%d", side, side), nn.Fast, func() error {
		y, err := dec.Decode(b.ctx, &b.ws, z)
		if err == nil {
			b.ws.Put(y)
		}
		return err
	}, nil)
}

// vit measures the image encoder, on one picture as in an encode.
func (b *bench) vit(m *model.Model) error {
	b.progress("ViT: opening")
	tower, err := m.ImageEncoder(b.ctx)
	if err != nil {
		return err
	}
	defer released(tower)
	cfg := tower.Config()
	x := ramp(1, cfg.ImageSize, cfg.ImageSize, cfg.NumChannels)
	return b.measure(fmt.Sprintf("ViT, 1 picture of %dx%d", cfg.ImageSize, cfg.ImageSize), nn.Exact, func() error {
		y, err := tower.Forward(b.ctx, &b.ws, x)
		if err == nil {
			b.ws.Put(y)
		}
		return err
	}, nil)
}
