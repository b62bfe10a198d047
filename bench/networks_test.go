package bench

import (
	"context"
	"os"
	"testing"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/weights"
)

// part opens a part of the model folder $COCLICO_MODEL.
func part(b *testing.B, name weights.Part) ([]byte, *weights.Store) {
	dir := os.Getenv("COCLICO_MODEL")
	if dir == "" {
		b.Skip("COCLICO_MODEL names no model folder (coclico synth DIR --config unclip-l makes one)")
	}
	f, err := weights.OpenFolder(dir)
	if err != nil {
		b.Fatal(err)
	}
	config, err := f.Config(name)
	if err != nil {
		b.Fatal(err)
	}
	s, err := f.Part(name)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close(); f.Close() })
	return config, s
}

func ramp(n, h, w, c int) *nn.Tensor {
	t := &nn.Tensor{N: n, H: h, W: w, C: c, Data: make([]float32, n*h*w*c)}
	for i := range t.Data {
		t.Data[i] = float32(i*7919%2001)/1000 - 1
	}
	return t
}

// BenchmarkUNet times one evaluation, batch 2, at the model's own size.
func BenchmarkUNet(b *testing.B) {
	config, s := part(b, weights.UNet)
	cfg, err := unet.ParseConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	m := unet.New(s.Scope(), cfg)
	ws := &nn.Workspace{Precision: kernels.Fast}
	text := m.Context(ws, ramp(1, 1, 77, cfg.ContextDim()))
	side := int(cfg.SampleSize)
	x, class := ramp(2, side, side, cfg.InChannels), ramp(2, 1, 1, cfg.ClassEmbeddingsDim)
	warm(b, ws, func() (*nn.Tensor, error) { return m.Forward(context.Background(), ws, x, 500, text, class) })
	b.ReportMetric(float64(ws.Peak())/(1<<20), "MiB-activations")
}

// warm times f, which computes a tensor of ws, after a first call that packs the
// weights and takes the memory.
func warm(b *testing.B, ws *nn.Workspace, f func() (*nn.Tensor, error)) {
	call := func() {
		y, err := f()
		if err != nil {
			b.Fatal(err)
		}
		ws.Put(y)
	}
	call()
	for b.Loop() {
		call()
	}
}

func BenchmarkVAE(b *testing.B) {
	config, s := part(b, weights.VAE)
	cfg, err := vae.ParseConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	m := vae.New(s.Scope(), cfg)
	side := cfg.SampleSize.At(0)
	ws := &nn.Workspace{Precision: kernels.Fast}
	b.Run("decode", func(b *testing.B) {
		z := ramp(1, side/cfg.Factor(), side/cfg.Factor(), cfg.LatentChannels)
		warm(b, ws, func() (*nn.Tensor, error) { return m.Decode(context.Background(), ws, z) })
		b.ReportMetric(float64(ws.Peak())/(1<<20), "MiB-activations")
	})
	b.Run("encode", func(b *testing.B) {
		x := ramp(1, side, side, cfg.InChannels)
		warm(b, ws, func() (*nn.Tensor, error) { return m.Encode(context.Background(), ws, x) })
	})
}

// BenchmarkViT times the vision tower on two pictures, exact and fast.
func BenchmarkViT(b *testing.B) {
	config, s := part(b, weights.ImageEncoder)
	cfg, err := vit.ParseConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	for p := range kernels.Precision(kernels.NumPrecisions) {
		b.Run(p.String(), func(b *testing.B) {
			m := vit.New(s.Scope(), cfg)
			ws := &nn.Workspace{Precision: p}
			x := ramp(2, cfg.ImageSize, cfg.ImageSize, cfg.NumChannels)
			warm(b, ws, func() (*nn.Tensor, error) { return m.Forward(context.Background(), ws, x) })
		})
	}
}
