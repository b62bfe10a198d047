package codec

import (
	"context"
	"fmt"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/solver"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/weights"
)

// A path is one latent on its way from noise to picture. Its tensors have
// memory of their own, since the workspace is emptied between the networks.
type path struct {
	solver   *solver.Solver
	guidance *solver.Guidance
	normals  *solver.Generator // of the noise that an SDE adds
	steps    []int             // timesteps of the steps to run
	done     int               // steps that have been run

	z        *nn.Tensor // the latent [1,h,w,C]; before the first step, its noise
	estimate *nn.Tensor // of the picture to which the last step led
	fresh    *nn.Tensor // noise of a step, nil without an SDE
}

// newPath returns the path whose noise a generator draws next, in PyTorch's
// order. Of n steps the last int(n*strength) are run, as diffusers counts. Too
// many steps are the file's fault if it asks for them.
func (p *painter) newPath(g *solver.Generator) (*path, error) {
	cfg, err := p.model.Scheduler()
	if err != nil {
		return nil, err
	}
	switch n := p.sampling.Steps; {
	case n <= cfg.NumTrainTimesteps:
	case n == p.file.Sampling().Steps:
		return nil, UnsupportedError(fmt.Sprintf("file of %d steps; the model has %d: choose fewer", n, cfg.NumTrainTimesteps))
	default:
		return nil, tooManySteps(n, cfg)
	}
	p.o.Sampler.configure(&cfg)
	t := &path{guidance: p.o.Sampler.guidance(p.sampling.Guidance), normals: g}
	if t.solver, err = solver.New(cfg, p.sampling.Steps); err != nil {
		return nil, fmt.Errorf("%s: %w", p.model.Folder().ConfigName(weights.Scheduler), err)
	}
	begin, err := t.solver.Start(p.sampling.Strength)
	if err != nil {
		return nil, err
	}
	t.steps = t.solver.Timesteps()[begin:]
	t.z, t.estimate = p.newLatent(), p.newLatent()
	if cfg.Method == solver.SDE {
		t.fresh = p.newLatent()
	}
	x := p.hook.Noise
	if x == nil {
		x = normals(g, t.z.Len())
	}
	if len(x) != t.z.Len() {
		return nil, optionErrorf("%d values of noise; %d are needed", len(x), t.z.Len())
	}
	t.z.SetNCHW(x)
	return t, nil
}

func tooManySteps(n int, cfg solver.Config) error {
	return optionErrorf("steps %d: the model has %d", n, cfg.NumTrainTimesteps)
}

func normals(g *solver.Generator, n int) []float32 {
	x := make([]float32, n)
	g.Randn(x)
	return x
}

// newLatent returns a latent of the picture's size.
func (p *painter) newLatent() *nn.Tensor { return ownTensor(p.latent.h, p.latent.w, p.latent.c) }

func ownTensor(h, w, c int) *nn.Tensor {
	return &nn.Tensor{N: 1, H: h, W: w, C: c, Data: make([]float32, h*w*c)}
}

// start mixes the noise of a path with the color map's latent.
func (p *painter) start(t *path) {
	begin := len(t.solver.Timesteps()) - len(t.steps)
	t.solver.AddNoise(t.z.Data, p.target.Data, t.z.Data, begin)
	p.trace("latents", t.z)
}

// step runs the next step of a path.
func (p *painter) step(ctx context.Context, net *unet.Model, t *path) error {
	out, err := p.evaluate(ctx, net, t)
	if err != nil {
		return err
	}
	cond := out.Data[len(out.Data)-t.z.Len():]
	var uncond []float32
	if out.N == 2 {
		uncond = out.Data[:t.z.Len()]
	}
	x := t.z.Data
	if t.guidance.Projected != nil { // of estimates
		t.solver.Estimate(cond, cond, x)
		if uncond != nil {
			t.solver.Estimate(uncond, uncond, x)
		}
		t.guidance.Apply(t.estimate.Data, uncond, cond)
	} else {
		t.guidance.Apply(cond, uncond, cond)
		t.solver.Estimate(t.estimate.Data, cond, x)
	}
	p.ws.Put(out)
	if w := p.sampling.ColorGuidance; w > 0 {
		p.band.Pull(t.estimate.Data, p.target.Data, float32(solver.Fade(w, t.done, len(t.steps))))
	}
	var noise []float32
	if t.fresh != nil {
		t.fresh.SetNCHW(normals(t.normals, t.fresh.Len()))
		noise = t.fresh.Data
	}
	t.solver.Advance(x, t.estimate.Data, x, noise)
	t.done++
	p.trace("latents", t.z)
	return nil
}

// evaluate returns the UNet's output for the next step: where guidance is
// active of two pictures, with a class vector of zeros and with the real one,
// and elsewhere of the latter alone. The caller must Put it.
func (p *painter) evaluate(ctx context.Context, net *unet.Model, t *path) (*nn.Tensor, error) {
	n := 1
	if t.guidance.Active(t.done, len(t.steps)) {
		n = 2
	}
	x := p.ws.Get(n, t.z.H, t.z.W, t.z.C)
	defer p.ws.Put(x)
	class := p.ws.Get(n, 1, 1, len(p.class))
	defer p.ws.Put(class)
	clear(class.Data)
	copy(class.Data[len(class.Data)-len(p.class):], p.class)
	for i := range n {
		copy(x.Data[i*t.z.Len():], t.z.Data)
	}
	out, err := net.Forward(ctx, &p.ws, x, float32(t.steps[t.done]), p.text.of(n), class)
	if err != nil {
		return nil, err
	}
	return out, p.finite(weights.UNet, out)
}
