package verify

import (
	"slices"
	"strings"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/weights"
)

// trace compares the output of every submodule with the case's mid/ tensor of
// its name while f runs. A mid/ tensor without an output fails.
func (v *verifier) trace(c *goldenCase, f func() error) error {
	left := make(map[string]bool)
	for _, name := range c.store.Names() {
		if strings.HasPrefix(name, "mid/") {
			left[name] = true
		}
	}
	v.ws.Trace = func(name string, t *nn.Tensor) {
		if name = "mid/" + name; left[name] {
			delete(left, name)
			want, _ := c.store.Lookup(name)
			v.report(compare(name, arrange(t, want), want.Float32s(), v.bounds.mid))
		}
	}
	err := f()
	v.ws.Trace = nil
	if err != nil {
		return err
	}
	for _, name := range c.store.Names() {
		if left[name] {
			v.report(line{name: name, note: "not computed", verdict: failed})
		}
	}
	return nil
}

// arrange returns a tensor's values in the order of the golden tensor: NCHW for
// pictures, and repeated where all pictures share one value.
func arrange(t *nn.Tensor, want weights.Tensor) []float32 {
	got := slices.Clone(t.Data)
	if len(want.Shape) == 4 {
		got = t.NCHW()
	}
	if n := want.Len(); t.N == 1 && n%len(got) == 0 {
		for one := got; len(got) < n; {
			got = append(got, one...)
		}
	}
	return got
}

// tensor returns a network's input with the given NCHW values.
func tensor(x []float32, n, c, h, w int) *nn.Tensor {
	t := &nn.Tensor{N: n, H: h, W: w, C: c, Data: make([]float32, len(x))}
	t.SetNCHW(x)
	return t
}

func (v *verifier) vision(c *goldenCase) error {
	net, err := v.model.ImageEncoder(v.ctx)
	if err != nil {
		return err
	}
	v.use(net.Release)
	cfg := net.Config()
	px, s := c.floats("in/pixel_values", -1, 3, cfg.ImageSize, cfg.ImageSize)
	want, _ := c.floats("out/image_embeds", s[0], cfg.ProjectionDim)
	if c.err != nil {
		return c.err
	}
	return v.trace(c, func() error {
		x, err := net.Forward(v.ctx, &v.ws, tensor(px, s[0], 3, s[2], s[3]))
		if err != nil {
			return err
		}
		v.report(compare("out/image_embeds", x.Data, want, v.bounds.vision.of(len(want))))
		v.ws.Put(x)
		return nil
	})
}

func (v *verifier) text(c *goldenCase) error {
	net, err := v.model.TextEncoder(v.ctx)
	if err != nil {
		return err
	}
	v.use(net.Release)
	cfg := net.Config()
	values, s := c.ints("in/input_ids", -1, -1)
	want, _ := c.floats("out/last_hidden_state", s[0], s[1], cfg.HiddenSize)
	if c.err == nil && s[1] > cfg.MaxPositionEmbeddings {
		c.fail("in/input_ids: %d tokens, the model has %d positions", s[1], cfg.MaxPositionEmbeddings)
	}
	ids := make([][]int, s[0])
	for i, id := range values {
		if id < 0 || id >= int64(cfg.VocabSize) {
			c.fail("in/input_ids: token %d, the model has %d", id, cfg.VocabSize)
		}
		ids[i/s[1]] = append(ids[i/s[1]], int(id))
	}
	if c.err != nil {
		return c.err
	}
	return v.trace(c, func() error {
		x, err := net.Forward(v.ctx, &v.ws, ids)
		if err != nil {
			return err
		}
		v.report(compare("out/last_hidden_state", x.Data, want, v.bounds.text.of(len(want))))
		v.ws.Put(x)
		return nil
	})
}

func (v *verifier) unet(c *goldenCase) error {
	net, err := v.model.UNet(v.ctx)
	if err != nil {
		return err
	}
	v.use(net.Release)
	cfg := net.Config()
	x, s := c.floats("in/sample", -1, cfg.InChannels, -1, -1)
	t, _ := c.ints("in/timestep", 1)
	class, _ := c.floats("in/class_labels", s[0], cfg.ClassEmbeddingsDim)
	want, _ := c.floats("out/sample", s[0], cfg.OutChannels, s[2], s[3])
	var hidden *nn.Tensor
	if cfg.ContextDim() > 0 {
		h, hs := c.floats("in/encoder_hidden_states", s[0], -1, cfg.ContextDim())
		hidden = &nn.Tensor{N: hs[0], H: 1, W: hs[1], C: hs[2], Data: h}
	}
	if c.err != nil {
		return c.err
	}
	return v.trace(c, func() error {
		var text *unet.Context
		if hidden != nil {
			text = net.Context(&v.ws, hidden)
		}
		classes := &nn.Tensor{N: s[0], H: 1, W: 1, C: cfg.ClassEmbeddingsDim, Data: class}
		y, err := net.Forward(v.ctx, &v.ws, tensor(x, s[0], s[1], s[2], s[3]), float32(t[0]), text, classes)
		if err != nil {
			return err
		}
		v.report(compare("out/sample", y.NCHW(), want, v.bounds.unet.of(len(want))))
		v.ws.Put(y)
		return nil
	})
}

// vae judges both halves, one after the other.
func (v *verifier) vae(c *goldenCase) error {
	cfg, err := v.model.VAE()
	if err != nil {
		return err
	}
	rgb, h, w := c.picture("in/image_uint8")
	f := cfg.Factor()
	mean, _ := c.floats("out/latent_mean", 1, cfg.LatentChannels, h/f, w/f)
	z, s := c.floats("in/latent", 1, cfg.LatentChannels, -1, -1)
	image, _ := c.floats("out/image", 1, 3, s[2]*f, s[3]*f)
	if c.err != nil {
		return c.err
	}
	bound := v.bounds.decode.of(len(image))
	if t, _ := c.store.Lookup("out/image"); t.DType == weights.F16 {
		bound = max(bound, halfBound)
	}
	return v.trace(c, func() error {
		enc, err := v.model.VAEEncoder(v.ctx)
		if err != nil {
			return err
		}
		v.use(enc.Release)
		x := v.ws.Get(1, h, w, 3)
		for i, b := range rgb {
			x.Data[i] = float32(b)/127.5 - 1
		}
		y, err := enc.Encode(v.ctx, &v.ws, x)
		if err != nil {
			return err
		}
		v.report(compare("out/latent_mean", y.NCHW(), mean, v.bounds.encode.of(len(mean))))
		dec, err := v.model.VAEDecoder(v.ctx)
		if err != nil {
			return err
		}
		v.use(dec.Release)
		if y, err = dec.Decode(v.ctx, &v.ws, tensor(z, 1, s[1], s[2], s[3])); err != nil {
			return err
		}
		v.report(compare("out/image", y.NCHW(), image, bound))
		return nil
	})
}
