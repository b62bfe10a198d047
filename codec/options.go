package codec

import (
	"fmt"

	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/codec/tuned"
)

// None stands for the number zero in an option whose zero value stands for the
// paper's parameter: DecodeOptions{Strength: codec.None}.
const None = -1

// MaxSize is the largest side of a decoded picture in pixels.
const MaxSize = 4096

// MaxGuidance is the largest guidance: far above what makes a picture, and far
// below what leaves float32.
const MaxGuidance = 1e6

// An OptionError reports an option that is out of its range.
type OptionError string

func (e OptionError) Error() string { return string(e) }

func optionErrorf(format string, args ...any) error { return OptionError(fmt.Sprintf(format, args...)) }

// Format are the parameters of the symbols that the model does not fix. A file
// carries them; of raw bits encoder and decoder must agree on them. The zero
// value is the paper's: one bit for each CLIP dimension, and a colour map of
// 8 x 8 pixels at two bits.
type Format struct {
	ClipBits   int // bits of each CLIP dimension, 1 to 16; 0 means 1
	MapSize    int // side of the colour map, an even number from 2 to 64; 0 means 8
	ColourBits int // bits of each sample of the map, 1 to 8; 0 means 2
}

// Params returns the stream's parameters for a model whose CLIP vectors have
// dim dimensions.
func (f Format) Params(dim int) (stream.Params, error) {
	p := stream.Params{EmbeddingDim: dim, EmbeddingBits: f.ClipBits, MapSize: f.MapSize, ColourBits: f.ColourBits}.WithDefaults()
	if err := p.Validate(); err != nil {
		return p, OptionError(err.Error())
	}
	return p, nil
}

// EncodeOptions tell Encode what to do other than the paper.
type EncodeOptions struct {
	Format

	// Raw writes the bits of the symbols alone, exactly the paper's. Decode
	// must be told, and given the same Format.
	Raw bool

	// Profile is how the picture is quantised, Paper or Tuned. In the tuned
	// one ClipBits is a mean over the dimensions, at most 5, unless VectorBits
	// says the bits of the whole vector.
	Profile    Profile
	VectorBits int

	// Bytes, if not 0, is a budget of MinBytes to MaxBytes: the tuned profile
	// chooses the sizes that lose least in it.
	Bytes int

	// Whole keeps all of the picture, its shape with it, up to 6:1; without
	// it, as in the paper, its centre square.
	Whole bool

	// Painting is how Decode is to paint the picture unless it is told
	// otherwise. A file has room for guidance up to 655.35 in hundredths, for
	// strength in thousandths and for 1024 steps.
	Painting

	// Antialias makes the colour map an average of the whole picture; the
	// paper's reads four pixels for each of the map's.
	Antialias bool

	// Progress, if not nil, is called at the start of every stage.
	Progress func(Progress)

	// Trace, if not nil, is given intermediate values: pixel_values
	// [3,S,S], image_embeds [D].
	Trace func(name string, values []float32)
}

// Painting are the options of the decoder that a file has room for; see
// [DecodeOptions]. Zero values are the paper's parameters.
type Painting struct {
	Steps    int
	Guidance float64
	Strength float64
	Seed     uint64
}

// DecodeOptions tell Decode what to do other than the file. Zero values are the
// file's parameters, and the paper's where it does not say; where zero itself
// is wanted, there is [None].
type DecodeOptions struct {
	Raw    bool   // the data are raw bits
	Format Format // of raw bits; a file says its own

	Steps    int     // steps of the whole schedule, 1 to the model's 1000; the paper's 20
	Guidance float64 // classifier-free guidance, up to MaxGuidance, 1 for none; the paper's 12
	Strength float64 // share of the schedule that is run, at most 1; the paper's 0.88
	Seed     *uint64 // of the initial noise, as torch.manual_seed takes it; nil means the file's, the paper's 0

	// Force decodes a file of another model: its colours are right, what it
	// shows is not.
	Force bool

	Size  int // pixels of the longer side, a multiple of the VAE's factor; 0 means the model's own
	Level int // noise level of the CLIP vector, 0 to the model's 999

	// Exact makes products as accurate as float32's. Without it their
	// operands are rounded to bfloat16 where that is faster.
	Exact bool

	// LowMemory never holds a network in the form that the machine
	// multiplies: each layer's weights are brought into it when they are
	// multiplied, at every step. The picture is the same.
	LowMemory bool

	// Noise, if not nil, replaces the seed's: [4, h/f, w/f] standard normal
	// values, f the VAE's factor, in the order of PyTorch.
	Noise []float32

	// Progress, if not nil, is called at the start of every stage and after
	// every step of StageDenoise.
	Progress func(Progress)

	// Trace, if not nil, is given intermediate values, in the order of
	// PyTorch: condition [2D], z_color and latents [4,h/f,w/f], the latter
	// before the first step and after each, and image [3,h,w] in [0,1]. The
	// values are only valid during the call.
	Trace func(name string, values []float32)
}

// A Stage is a part of the work that Progress tells of.
type Stage string

const (
	StageEmbed   Stage = "image vector" // Encode: the picture's CLIP vector
	StagePrompt  Stage = "prompt"       // Decode: the constant of the empty prompt, once per model
	StageColour  Stage = "colour map"   // Decode: the colour map into the VAE's latent space
	StageDenoise Stage = "denoising"    // Decode: the steps of the solver
	StagePicture Stage = "picture"      // Decode: the latent into pixels
)

// Progress says how far a call is.
type Progress struct {
	Stage Stage
	Step  int // steps of the stage that are done
	Steps int // steps of the stage in all; 0 where the stage is not divided
}

// withDefaults returns o with the file's values in place of zeros, and zeros
// in place of None.
func (o DecodeOptions) withDefaults(file Painting) DecodeOptions {
	p := Painting{Steps: o.Steps, Guidance: o.Guidance, Strength: o.Strength}.withDefaults(file).withDefaults(Painting{})
	o.Steps, o.Guidance, o.Strength = p.Steps, p.Guidance, p.Strength
	if o.Seed == nil {
		o.Seed = new(file.Seed)
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

// withDefaults returns the painting with the values of from in place of zeros,
// and zeros in place of None. Any seed is one.
func (p Painting) withDefaults(from Painting) Painting {
	if p.Steps == 0 {
		p.Steps = from.Steps
	}
	p.Guidance = withDefault(p.Guidance, from.Guidance)
	p.Strength = withDefault(p.Strength, from.Strength)
	return p
}

// paper is how the paper paints.
func paper() Painting { return Painting{Steps: 20, Guidance: 12, Strength: 0.88} }

func withDefault(v, other float64) float64 {
	switch v {
	case 0:
		return other
	case None:
		return 0
	}
	return v
}

// validate checks what does not depend on the model.
func (o EncodeOptions) validate() error {
	if _, err := o.Params(1); err != nil {
		return err
	}
	switch {
	case o.Profile > Tuned:
		return optionErrorf("profile %d: there are Paper and Tuned", o.Profile)
	case o.Raw && (o.Whole || o.Profile != Paper || o.Painting != (Painting{})):
		return optionErrorf("raw bits have no room for a profile, a shape, steps, guidance, strength and seed")
	case o.Profile != Tuned && (o.Bytes != 0 || o.VectorBits != 0):
		return optionErrorf("a budget and bits of a vector are for the tuned profile")
	case o.Bytes != 0 && (o.Bytes < MinBytes || o.Bytes > MaxBytes):
		return optionErrorf("%d bytes: a budget is %d to %d", o.Bytes, MinBytes, MaxBytes)
	case o.Bytes != 0 && (o.VectorBits != 0 || o.Format != (Format{})):
		return optionErrorf("a budget chooses the bits of the vector and the colour map itself")
	case o.VectorBits < 0:
		return optionErrorf("%d bits of a vector: at least 1 is needed", o.VectorBits)
	case o.Profile == Tuned && o.ClipBits > tuned.MaxBits:
		return optionErrorf("%d bits of a dimension: the tuned profile has at most %d, the paper's 16", o.ClipBits, tuned.MaxBits)
	}
	h := container.NewHeader(1)
	p := o.Painting.withDefaults(paper())
	if err := p.validate(); err != nil {
		return err
	}
	return p.put(&h)
}

// validate checks what does not depend on the model. o has no zero values but
// those that mean zero.
func (o DecodeOptions) validate() error {
	if o.Level < 0 {
		return optionErrorf("noise level %d: a number not below 0 is needed", o.Level)
	}
	return Painting{Steps: o.Steps, Guidance: o.Guidance, Strength: o.Strength}.validate()
}

func (p Painting) validate() error {
	switch {
	case p.Steps < 1:
		return optionErrorf("steps %d: at least 1 is needed", p.Steps)
	case !(p.Guidance >= 0 && p.Guidance <= MaxGuidance):
		return optionErrorf("guidance %g: a number from 0 to %g is needed", p.Guidance, MaxGuidance)
	case !(p.Strength >= 0 && p.Strength <= 1):
		return optionErrorf("strength %g: a number from 0 to 1 is needed", p.Strength)
	}
	return nil
}

// size returns the pixels of the longer side for a VAE's factor and the model's own size.
func (o DecodeOptions) size(factor, own int) (int, error) {
	size := o.Size
	if size == 0 {
		size = own
	}
	if size < factor || size > MaxSize || size%factor != 0 {
		return 0, optionErrorf("size %d: a multiple of %d from %d to %d is needed", size, factor, factor, MaxSize)
	}
	return size, nil
}
