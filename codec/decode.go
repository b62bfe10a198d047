package codec

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/internal/hook"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/solver"
	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/weights"
)

// Decode paints the picture that a file describes: [Parse] and [Codec.Paint] in
// one.
func (c *Codec) Decode(ctx context.Context, data []byte, opts *DecodeOptions) (image.Image, error) {
	f, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return c.Paint(ctx, f, opts)
}

// Paint paints the picture that a file describes. The same file, model and
// options give the same picture on the same machine, whatever the number of its
// processors.
//
// When ctx ends, Paint returns its error within one block of a network, and no
// picture unless [DecodeOptions].Partial asks for one. Other errors are a
// [FormatError] for a file that was truncated or altered, if that can be told (a
// file has no checksum, see FORMAT.md), an [UnsupportedError]
// for one that the model cannot paint, a [*ModelError] for one of another
// model, a [PromptError] for a prompt that the model cannot read, an
// [OptionError], a [MemoryError], and those of the model's files.
func (c *Codec) Paint(ctx context.Context, f *File, opts *DecodeOptions) (_ image.Image, err error) {
	p, err := c.newPainter(ctx, f, opts)
	if err != nil {
		return nil, err
	}
	defer catchRefusal(&err, "%d x %d pixels", p.w, p.h)
	defer p.ws.Close()
	p.previewMap()
	img, err := p.paint(ctx)
	if err != nil && errors.Is(err, ctx.Err()) && p.o.Partial != nil && p.path.done > 0 {
		return p.partial(err)
	}
	return img, err
}

// A painter is one call of Paint.
type painter struct {
	*Codec
	file     *File
	o        DecodeOptions
	sampling Sampling
	offset   uint64 // of the seed
	hook     hook.Hook
	ws       nn.Workspace

	class  []float32 // the UNet's class vector [2D]
	w, h   int       // of the picture
	latent struct{ h, w, c int }
	texts  [2]string       // the negative prompt and the prompt
	text   textContext     // of texts
	target *nn.Tensor      // the color map's latent [1,h,w,C]
	band   *solver.LowBand // of color guidance
	path   *path
	colors *colorFit // for previews
}

// newPainter does everything that needs no network, so that a wrong call fails
// at once.
func (c *Codec) newPainter(ctx context.Context, f *File, opts *DecodeOptions) (*painter, error) {
	p := &painter{Codec: c, file: f, sampling: f.Sampling(), hook: hook.From(ctx)}
	if opts != nil {
		p.o = *opts
	}
	if p.o.Sampling != nil {
		p.sampling = *p.o.Sampling
	}
	if p.o.Progress == nil {
		p.o.Progress = func(Progress) {}
	}
	p.ws.LowMemory, p.ws.Precision = p.o.LowMemory, nn.Fast
	if p.o.Exact {
		p.ws.Precision = nn.Exact
	}
	if err := nn.Check(); err != nil {
		return nil, err
	}
	v, err := c.vector(f, p.o.AnyModel)
	if err != nil {
		return nil, err
	}
	if err := p.sampling.Validate(); err != nil {
		return nil, err
	}
	if err := p.o.Sampler.Validate(); err != nil {
		return nil, err
	}
	p.offset = f.NoiseOffset(v)
	g := solver.NewGenerator(p.seed())
	for _, prepare := range []func() error{
		p.sides,
		p.readPrompts,
		func() error { return p.condition(g, v.Values) },
		func() (err error) { p.path, err = p.newPath(g); return err },
	} {
		if err := prepare(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// seed returns the argument of torch.manual_seed.
func (p *painter) seed() uint64 { return p.sampling.Seed + p.offset }

// condition makes the class vector: the noised CLIP vector, then the features of
// the noise level. The noise of a level above 0 is the generator's first draw,
// as in diffusers' pipeline; level 0 is noiseless.
func (p *painter) condition(g *solver.Generator, vector []float32) error {
	noising, err := p.model.Noising()
	if err != nil {
		return err
	}
	mean, std, err := p.model.Normalizer()
	if err != nil {
		return err
	}
	if p.o.NoiseLevel < 0 || p.o.NoiseLevel >= noising.Levels() {
		return optionErrorf("noise level %d: it is 0 to %d", p.o.NoiseLevel, noising.Levels()-1)
	}
	var noise []float32
	if p.o.NoiseLevel > 0 {
		noise = make([]float32, len(vector))
		g.Randn(noise)
	}
	n := len(vector)
	p.class = make([]float32, 2*n)
	if err := noising.AddNoise(p.class[:n], vector, mean, std, p.o.NoiseLevel, noise); err != nil {
		return err
	}
	nn.TimestepFeatures(p.class[n:], float32(p.o.NoiseLevel), true, 0)
	if trace := p.hook.Trace; trace != nil {
		trace("condition", p.class)
	}
	return nil
}

func (p *painter) paint(ctx context.Context) (image.Image, error) {
	for _, stage := range []func(context.Context) error{p.encodePrompt, p.encodeMap, p.denoise} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	return p.decodeLatent(ctx)
}

// partial returns the picture of the last step's estimate beside err, the error
// of a context that has ended.
func (p *painter) partial(err error) (image.Image, error) {
	copy(p.path.z.Data, p.path.estimate.Data)
	img, e := p.decodeLatent(p.o.Partial())
	if e != nil {
		return nil, e
	}
	return img, err
}

// maxLatent bounds the pixels of a latent, since attention takes the square of
// them: those of MaxSize with the usual factor of 8.
const maxLatent = MaxSize / 8 * MaxSize / 8

// sides finds the picture's and the latent's sides.
func (p *painter) sides() error {
	ae, err := p.model.VAE()
	if err != nil {
		return err
	}
	net, err := p.model.UNetConfig()
	if err != nil {
		return err
	}
	f, size := ae.Factor(), p.o.Size
	if size == 0 {
		size = int(net.SampleSize) * f
	}
	bad := func(format string, args ...any) error {
		why := fmt.Sprintf(format, args...)
		if p.o.Size != 0 {
			return optionErrorf("size %d: %s", size, why)
		}
		err := fmt.Errorf("sample_size %d makes pictures of size %d: %s: choose a size", net.SampleSize, size, why)
		return weights.NewFileError(p.model.Folder().ConfigName(weights.UNet), err)
	}
	switch {
	case size == 0:
		return optionErrorf("size is needed: the model's unet/config.json has no sample_size")
	case size < f || size > MaxSize || size%f != 0:
		return bad("it is a multiple of %d from %d to %d", f, f, MaxSize)
	}
	p.w, p.h = p.file.Size(size, f)
	if n := (p.w / f) * (p.h / f); n > maxLatent {
		return bad("%d latent pixels, at most %d", n, maxLatent)
	}
	p.latent.h, p.latent.w, p.latent.c = p.h/f, p.w/f, ae.LatentChannels
	p.band = solver.NewLowBand(p.latent.h, p.latent.w, p.latent.c, (3*p.file.f.MapSize+3)/4)
	return nil
}

// encodeMap makes the latent of the upsampled color map: the posterior's mean,
// scaled.
func (p *painter) encodeMap(ctx context.Context) error {
	p.o.Progress(Progress{Stage: StageColor})
	ae, err := p.model.VAE()
	if err != nil {
		return err
	}
	net, err := p.model.VAEEncoder(ctx)
	if err != nil {
		return err
	}
	defer p.done(net)
	x := p.ws.Get(1, p.h, p.w, 3)
	for i, v := range quant.Upsample(p.file.rgb, p.file.f.MapSize, p.w, p.h) {
		x.Data[i] = 2*v - 1
	}
	mean, err := net.Encode(ctx, &p.ws, x)
	if err != nil {
		return err
	}
	if err := p.finite(weights.VAE, mean); err != nil {
		return err
	}
	p.target = p.newLatent()
	for i, v := range mean.Data {
		p.target.Data[i] = v * float32(ae.ScalingFactor)
	}
	p.trace("z_color", p.target)
	return p.fitColors(ctx, net)
}

// done empties the workspace and releases a network unless it is kept: no
// network is in memory with the activations of another.
func (p *painter) done(net interface{ Release() }) {
	p.ws.Close()
	if !p.KeepNetworks {
		net.Release()
	}
}

// denoise runs the path's steps over the UNet.
func (p *painter) denoise(ctx context.Context) error {
	net, err := p.model.UNet(ctx)
	if err != nil {
		return err
	}
	t := p.path
	defer p.done(net)
	p.start(t)
	for t.done < len(t.steps) {
		p.o.Progress(Progress{Stage: StageDenoise, Step: t.done, Steps: len(t.steps)})
		if err := p.step(ctx, net, t); err != nil {
			return err
		}
		p.preview(t.estimate.Data, t.done)
	}
	p.o.Progress(Progress{Stage: StageDenoise, Step: t.done, Steps: len(t.steps)})
	return nil
}

// decodeLatent turns the latent into pixels.
func (p *painter) decodeLatent(ctx context.Context) (image.Image, error) {
	p.o.Progress(Progress{Stage: StagePicture})
	net, err := p.model.VAEDecoder(ctx)
	if err != nil {
		return nil, err
	}
	defer p.done(net)
	img, err := p.pixels(ctx, net, p.path.z)
	if err != nil {
		return nil, err
	}
	return img, nil
}

// pixels returns the picture of a latent.
func (p *painter) pixels(ctx context.Context, net *vae.Decoder, latent *nn.Tensor) (*image.RGBA, error) {
	ae, err := p.model.VAE()
	if err != nil {
		return nil, err
	}
	z := p.ws.Get(1, latent.H, latent.W, latent.C)
	defer p.ws.Put(z)
	for i, v := range latent.Data {
		z.Data[i] = v / float32(ae.ScalingFactor)
	}
	x, err := net.Decode(ctx, &p.ws, z)
	if err != nil {
		return nil, err
	}
	defer p.ws.Put(x)
	if err := p.finite(weights.VAE, x); err != nil {
		return nil, err
	}
	for i, v := range x.Data {
		x.Data[i] = unit(v)
	}
	if h := p.file.f.Header; h.Profile == Tuned && !p.o.NoProjection {
		quant.Project(x.Data, p.w, p.h, h, p.file.f.Map)
	}
	p.trace("image", x)
	return toRGBA(x), nil
}

func (p *painter) trace(name string, t *nn.Tensor) {
	if p.hook.Trace != nil {
		p.hook.Trace(name, t.NCHW())
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
