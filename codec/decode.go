package codec

import (
	"context"
	"fmt"
	"image"
	"math"

	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/solver"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/weights"
)

// Decode paints the picture that a file describes. Nil options are the file's
// parameters. The same file, model and options give the same picture on the
// same machine, whatever the number of its processors.
//
// When ctx ends, Decode returns its error before the network block after the
// running one. Other errors are a [FormatError] for bytes that are no file, an
// [UnsupportedError] for one of a later version, a [*ModelError] for one of
// another model, an [OptionError], and those of the model's files.
func (c *Codec) Decode(ctx context.Context, data []byte, opts *DecodeOptions) (image.Image, error) {
	d := &decoder{Codec: c}
	if opts != nil {
		d.o = *opts
	}
	if err := nn.Check(); err != nil {
		return nil, err
	}
	if err := d.prepare(data); err != nil {
		return nil, err
	}
	defer d.ws.Close()
	d.ws.LowMemory = d.o.LowMemory
	d.ws.Precision = nn.Fast
	if d.o.Exact {
		d.ws.Precision = nn.Exact
	}
	if err := d.prompt(ctx); err != nil {
		return nil, err
	}
	if err := d.colour(ctx); err != nil {
		return nil, err
	}
	if err := d.denoise(ctx); err != nil {
		return nil, err
	}
	return d.picture(ctx)
}

// A decoder is one call of Decode.
type decoder struct {
	*Codec
	o  DecodeOptions // with the file's values in place of zeros
	ws nn.Workspace

	solver *solver.Solver
	begin  int       // index of the first step
	class  []float32 // the UNet's class vector [2D]
	rgb    []float32 // the colour map [n,n,3] in [0,1]
	n      int       // its side
	shape  container.Shape
	w, h   int // of the picture
	text   *unet.Context
	noise  *nn.Tensor // [1,h,w,C]
	z      *nn.Tensor // the latent [1,h,w,C]
}

// prepare does everything that needs no network, so that what is wrong with the
// call is known at once.
func (d *decoder) prepare(data []byte) error {
	said, err := d.read(data)
	if err != nil {
		return err
	}
	steps := d.o.Steps
	d.o = d.o.withDefaults(painting(said.Header))
	if err := d.o.validate(); err != nil {
		return err
	}
	d.shape, d.n, d.rgb = said.Header.Shape, said.Header.MapSize, said.RGB
	if err := d.schedule(steps == 0); err != nil {
		return err
	}
	if err := d.sides(); err != nil {
		return err
	}
	g := solver.NewGenerator(*d.o.Seed)
	if err := d.condition(g, said.Vector); err != nil {
		return err
	}
	return d.drawNoise(g)
}

// schedule makes the solver and finds its first step: of n steps the last
// int(n*strength) are run, as diffusers counts. A file may say more steps than
// this model has: that is no wrong option.
func (d *decoder) schedule(ofFile bool) error {
	cfg, err := d.model.Scheduler()
	if err != nil {
		return err
	}
	switch {
	case d.o.Steps <= cfg.NumTrainTimesteps:
	case ofFile:
		return UnsupportedError(fmt.Sprintf("a file to be painted in %d steps, and the model has %d: give fewer", d.o.Steps, cfg.NumTrainTimesteps))
	default:
		return optionErrorf("steps %d: the model has %d", d.o.Steps, cfg.NumTrainTimesteps)
	}
	if d.solver, err = solver.New(cfg, d.o.Steps); err != nil {
		return fmt.Errorf("%s: %w", d.model.Folder().ConfigName(weights.Scheduler), err)
	}
	d.begin, err = d.solver.Start(d.o.Strength)
	return err
}

// condition makes the class vector: the noised embedding, then the features of
// the noise level. The noise of a level above 0 is the generator's first draw,
// as in diffusers' pipeline; level 0 is noiseless.
func (d *decoder) condition(g *solver.Generator, embedding []float32) error {
	noising, err := d.model.Noising()
	if err != nil {
		return err
	}
	mean, std, err := d.model.Normalizer()
	if err != nil {
		return err
	}
	if d.o.Level >= noising.Levels() {
		return optionErrorf("noise level %d: the model has 0 to %d", d.o.Level, noising.Levels()-1)
	}
	var noise []float32
	if d.o.Level > 0 {
		noise = make([]float32, len(embedding))
		g.Randn(noise)
	}
	n := len(embedding)
	d.class = make([]float32, 2*n)
	if err := noising.AddNoise(d.class[:n], embedding, mean, std, d.o.Level, noise); err != nil {
		return err
	}
	nn.TimestepFeatures(d.class[n:], float32(d.o.Level), true, 0)
	if d.o.Trace != nil {
		d.o.Trace("condition", d.class)
	}
	return nil
}

// prompt finds the constant of the empty prompt.
func (d *decoder) prompt(ctx context.Context) error {
	net, err := d.model.UNet(ctx)
	if err != nil || net.Config().ContextDim() == 0 {
		return err
	}
	p := &d.prompts[d.ws.Precision]
	if err := p.lock.Acquire(ctx); err != nil {
		return err
	}
	defer p.lock.Release()
	if p.context == nil {
		if err := d.readPrompt(ctx, p, net); err != nil {
			return err
		}
	}
	d.text = p.context
	return nil
}

// readPrompt brings the empty prompt into the UNet's form. The text encoder, if
// the model has no constant in its place, runs once and is not needed again.
func (d *decoder) readPrompt(ctx context.Context, p *prompt, net *unet.Model) error {
	d.o.Progress(Progress{Stage: StagePrompt})
	text, err := d.model.PromptEmbeds(ctx, d.o.LowMemory)
	if err != nil {
		return err
	}
	p.context = net.Context(&d.ws, text)
	d.ws.Close()
	return nil
}

// maxLatent bounds the pixels of a latent, for attention takes the square of
// them: what MaxSize has with the usual factor of 8.
const maxLatent = MaxSize / 8 * MaxSize / 8

// sides finds the picture's and the latent's sides. Latents are the decoder's
// own memory, for the workspace is emptied between the networks.
func (d *decoder) sides() error {
	ae, err := d.model.VAE()
	if err != nil {
		return err
	}
	net, err := d.model.UNetConfig()
	if err != nil {
		return err
	}
	own := int(net.SampleSize)
	if own == 0 && d.o.Size == 0 {
		return optionErrorf("the model does not say the size of its pictures: give one")
	}
	f := ae.Factor()
	size, err := d.o.size(f, own*f)
	if err != nil {
		return err
	}
	d.w, d.h = d.shape.Size(size, f)
	if n := (d.w / f) * (d.h / f); n > maxLatent {
		return optionErrorf("size %d: %d latent pixels, at most %d", size, n, maxLatent)
	}
	d.z = ownTensor(d.h/f, d.w/f, ae.LatentChannels)
	d.noise = ownTensor(d.h/f, d.w/f, ae.LatentChannels)
	return nil
}

func ownTensor(h, w, c int) *nn.Tensor {
	return &nn.Tensor{N: 1, H: h, W: w, C: c, Data: make([]float32, h*w*c)}
}

// drawNoise makes the initial noise, in PyTorch's order.
func (d *decoder) drawNoise(g *solver.Generator) error {
	x := d.o.Noise
	if x == nil {
		x = make([]float32, d.noise.Len())
		g.Randn(x)
	}
	if len(x) != d.noise.Len() {
		return optionErrorf("%d values of noise: %d are needed", len(x), d.noise.Len())
	}
	d.noise.SetNCHW(x)
	return nil
}

// colour makes the latent of the up-sampled colour map: the posterior's mean,
// scaled.
func (d *decoder) colour(ctx context.Context) error {
	d.o.Progress(Progress{Stage: StageColour})
	ae, err := d.model.VAE()
	if err != nil {
		return err
	}
	net, err := d.model.VAEEncoder(ctx)
	if err != nil {
		return err
	}
	x := d.ws.Get(1, d.h, d.w, 3)
	for i, v := range stream.Upsample(d.rgb, d.n, d.w, d.h) {
		x.Data[i] = 2*v - 1
	}
	mean, err := net.Encode(ctx, &d.ws, x)
	if err != nil {
		return err
	}
	if err := d.finite(weights.VAE, mean); err != nil {
		return err
	}
	for i, v := range mean.Data {
		d.z.Data[i] = v * float32(ae.ScalingFactor)
	}
	d.done(net)
	d.trace("z_color", d.z)
	return nil
}

// done empties the workspace, and drops a network unless it is to be kept:
// none of the networks is in memory with the activations of another.
func (d *decoder) done(net interface{ Release() }) {
	d.ws.Close()
	if !d.KeepNetworks {
		net.Release()
	}
}

// denoise runs the solver over the UNet. Each step evaluates it for two
// pictures at once: without the class vector, all of it zero, and with it.
func (d *decoder) denoise(ctx context.Context) error {
	net, err := d.model.UNet(ctx)
	if err != nil {
		return err
	}
	steps := d.solver.Timesteps()
	d.solver.AddNoise(d.z.Data, d.z.Data, d.noise.Data, d.begin)
	d.trace("latents", d.z)
	n := d.z.Len()
	both := d.ws.Get(2, d.z.H, d.z.W, d.z.C)
	class := d.ws.Get(2, 1, 1, len(d.class))
	clear(class.Data[:len(d.class)])
	copy(class.Data[len(d.class):], d.class)
	for i, t := range steps[d.begin:] {
		d.o.Progress(Progress{StageDenoise, i, len(steps) - d.begin})
		copy(both.Data, d.z.Data)
		copy(both.Data[n:], d.z.Data)
		out, err := net.Forward(ctx, &d.ws, both, float32(t), d.text, class)
		if err != nil {
			return err
		}
		if err := d.finite(weights.UNet, out); err != nil {
			return err
		}
		solver.Guide(out.Data[:n], out.Data[:n], out.Data[n:], d.o.Guidance)
		d.solver.Step(d.z.Data, out.Data[:n], d.z.Data)
		d.ws.Put(out)
		d.trace("latents", d.z)
	}
	d.o.Progress(Progress{StageDenoise, len(steps) - d.begin, len(steps) - d.begin})
	d.done(net)
	return nil
}

// picture makes pixels of the latent.
func (d *decoder) picture(ctx context.Context) (image.Image, error) {
	d.o.Progress(Progress{Stage: StagePicture})
	ae, err := d.model.VAE()
	if err != nil {
		return nil, err
	}
	net, err := d.model.VAEDecoder(ctx)
	if err != nil {
		return nil, err
	}
	for i, v := range d.z.Data {
		d.z.Data[i] = v / float32(ae.ScalingFactor)
	}
	x, err := net.Decode(ctx, &d.ws, d.z)
	if err != nil {
		return nil, err
	}
	if err := d.finite(weights.VAE, x); err != nil {
		return nil, err
	}
	for i, v := range x.Data {
		x.Data[i] = unit(v)
	}
	d.trace("image", x)
	img := toRGBA(x)
	d.done(net)
	return img, nil
}

func (d *decoder) trace(name string, t *nn.Tensor) {
	if d.o.Trace != nil {
		d.o.Trace(name, t.NCHW())
	}
}

// toRGBA returns round(255 x) of x [1,h,w,3] in [0,1].
func toRGBA(x *nn.Tensor) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, x.W, x.H))
	for i := range x.H * x.W {
		for k, v := range x.Data[3*i : 3*i+3] {
			img.Pix[4*i+k] = uint8(math.RoundToEven(255 * float64(v)))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}

// unit maps the networks' [-1,1] to [0,1], and clamps.
func unit(v float32) float32 { return min(max(v/2+0.5, 0), 1) }
