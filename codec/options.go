package codec

import (
	"context"
	"math"

	"github.com/coclico/coclico/codec/format"
)

const (
	// MaxSize is the largest side of a decoded picture in pixels.
	MaxSize = 4096

	// MaxGuidance is the largest guidance: far above what makes a picture, and
	// far below what overflows float32.
	MaxGuidance = 1e6

	// MinBytes and MaxBytes are the smallest and largest budgets of Encode.
	MinBytes = 40
	MaxBytes = 4000
)

// A Profile is a way to quantize a picture.
type Profile = format.Profile

const (
	Paper = format.Paper // the paper's quantizers
	Tuned = format.Tuned // the same number of bytes spent better
)

// Sampling configures how a file is painted. A file holds it.
type Sampling struct {
	Steps    int     // of the whole schedule, 1 to the model's 1000; a file holds at most 1024
	Guidance float64 // classifier-free guidance, 0 to MaxGuidance, 1 for none; a file holds hundredths up to 655.35
	Strength float64 // share of the schedule that is run, 0 to 1; a file holds thousandths
	Seed     uint64  // of the initial noise; see [File.NoiseOffset]

	// ColorGuidance is the share, 0 to 1, by which the first step is moved
	// towards the color map; later steps move less, the last an eighth of it
	// ([solver.Fade]). A file of the tuned profile holds hundredths, one of the
	// paper's nothing but 0: its map is farther from the picture than what the
	// model paints.
	ColorGuidance float64
}

// DefaultSampling returns the paper's parameters: 20 steps, guidance 12,
// strength 0.88 and seed 0; in the tuned profile also a color guidance of 0.8.
func DefaultSampling(p Profile) Sampling {
	return samplingOf(format.NewHeader(1).WithProfile(p))
}

// Format configures the symbols of a file. A zero field has the paper's value.
type Format struct {
	DimensionBits int // bits of each CLIP dimension, 1 to 16; the paper's 1
	MapSize       int // side of the color map, an even number from 2 to 64; the paper's 8
	ColorBits     int // bits of each sample of the map, 1 to 8; the paper's 2
}

// params returns the format's parameters for vectors of dim dimensions.
func (f Format) params(dim int) (format.Params, error) {
	p := format.Params{Dimensions: dim, DimensionBits: f.DimensionBits, MapSize: f.MapSize, ColorBits: f.ColorBits}.WithDefaults()
	return p, asOption(p.Validate())
}

// EncodeOptions configures Encode. The zero value reproduces the paper.
type EncodeOptions struct {
	Format

	// Profile is Paper or Tuned. In the tuned profile DimensionBits is a mean
	// over the dimensions, at most 5, unless VectorBits is the number of bits
	// of the whole vector.
	Profile    Profile
	VectorBits int

	// Bytes, if not 0, is a budget of MinBytes to MaxBytes: the tuned profile
	// chooses the sizes that lose least in it.
	Bytes int

	// Raw writes the bits of the symbols alone, exactly the paper's. See
	// [ParseRaw].
	Raw bool

	// Whole keeps all of the picture and its shape, up to 6:1, instead of its
	// center square.
	Whole bool

	// Antialias makes the paper's color map an average of the whole picture
	// instead of interpolating four pixels. The tuned one always is.
	Antialias bool

	// Fast lets the image encoder round operands to bfloat16 where that is
	// faster. About 0.3 % of the paper's bits of the vector become others.
	Fast bool

	// Sampling is how Decode paints the file by default; nil is
	// DefaultSampling of the profile.
	Sampling *Sampling

	// Candidates, if more than 1, is the number of noises, at most
	// MaxCandidates, that Encode chooses from: their seeds are Sampling.Seed and
	// those that follow. It paints the picture from each of them as Decode will
	// by default, and keeps the one whose CLIP vector is nearest to the
	// picture's own. That takes the whole model, the memory of a decode and the
	// time of about half as many, and a byte of the file, which counts in Bytes,
	// unless the first noise is the best.
	//
	// If ctx ends while candidates are painted, Encode returns the file with
	// the best one so far, at first that with the first one, together with the
	// context's error.
	//
	// Kernels of another machine round otherwise, and might choose another
	// noise among near ones; they decode the file all the same.
	Candidates int

	// Judged, if not nil, is called whenever a candidate has been judged.
	Judged func(Judgment)

	// Prompt is words that say, beside the CLIP vector, what the picture shows:
	// at most MaxPrompt bytes, English for the models there are. The file holds
	// them, with single spaces, in three to four bits a letter, and Decode uses
	// them: it fails if its model cannot read prompts.
	Prompt string

	// Progress, if not nil, is called at the start of every stage.
	Progress func(Progress)
}

// DecodeOptions configures Decode. The zero value paints as the file says.
type DecodeOptions struct {
	// Sampling replaces the file's, if not nil.
	Sampling *Sampling

	// AnyModel paints a file of another model too: its colors are right, what
	// it shows is not.
	AnyModel bool

	// Size is the longer side in pixels, a multiple of the VAE's factor; 0 is
	// the model's own.
	Size int

	// NoiseLevel is the noise added to the CLIP vector, 0 to the model's 999.
	NoiseLevel int

	// Prompt, if not nil, replaces the file's prompt: words that say, beside the
	// CLIP vector, what the picture shows. The empty one is the paper's. Another
	// needs a model with a text encoder and its tokenizer, else the error is a
	// [PromptError].
	Prompt *string

	// NegativePrompt says what the picture is to be unlike. It needs the same.
	NegativePrompt string

	// Exact makes products as accurate as float32's. Without it operands are
	// rounded to bfloat16 where that is faster.
	Exact bool

	// NoProjection leaves the colors as the model painted them. Without it those
	// of a tuned file are moved into the levels that the file says they had; see
	// [quant.Project].
	NoProjection bool

	// Sampler is how the steps are made; the zero value is the model's own way.
	Sampler Sampler

	// Partial, if not nil, asks for a picture even if the context ends. If that
	// happens after the first step, Partial is called for another context, such
	// as context.Background, in which the last step's estimate is turned into
	// pixels. The picture is returned together with the first context's error.
	Partial func() context.Context

	// LowMemory packs each layer's weights when they are multiplied, at every
	// step, and never holds a packed network. The picture is the same.
	LowMemory bool

	// Progress, if not nil, is called at the start of every stage and after
	// every step of StageDenoise.
	Progress func(Progress)

	// Preview, if not nil, is called at once with the color map, and after
	// every step of StageDenoise, before Progress, with a picture of what the
	// step has made. The painted picture is the same.
	Preview func(Preview)
}

// A Stage is a part of the work that Progress reports.
type Stage string

const (
	StageEmbed   Stage = "image vector" // Encode: the picture's CLIP vector
	StagePrompt  Stage = "prompt"       // Decode: the prompts into the UNet's context; the empty one once per model
	StageColor   Stage = "color map"    // Decode: the color map into the VAE's latent space
	StageDenoise Stage = "denoising"    // Decode: the steps of the sampler
	StagePicture Stage = "picture"      // Decode: the latent into pixels

	StageCandidates Stage = "candidates" // Encode: steps and judgments of EncodeOptions.Candidates
)

// Progress reports how far a call is.
type Progress struct {
	Stage Stage
	Step  int // steps of the stage that are done
	Steps int // steps of the stage in all; 0 where the stage is not divided

	Candidate, Candidates int // StageCandidates: which one is at work, from 0, of how many
}

// validate checks what does not depend on the model.
func (o *EncodeOptions) validate() error {
	if _, err := o.params(1); err != nil {
		return err
	}
	switch {
	case o.Profile > Tuned:
		return optionErrorf("profile %d: it is Paper or Tuned", o.Profile)
	case o.Raw && (o.Whole || o.Profile != Paper || o.Sampling != nil || o.Candidates > 1):
		return optionErrorf("raw bits cannot hold a profile, a shape, sampling parameters or a candidate")
	case o.Candidates < 0 || o.Candidates > MaxCandidates:
		return optionErrorf("candidates %d: it is 1 to %d", o.Candidates, MaxCandidates)
	case o.Raw && o.Prompt != "":
		return optionErrorf("raw bits cannot hold a prompt")
	case o.Profile != Tuned && (o.Bytes != 0 || o.VectorBits != 0):
		return optionErrorf("a budget and bits of the vector need the tuned profile")
	case o.Bytes != 0 && (o.Bytes < MinBytes || o.Bytes > MaxBytes):
		return optionErrorf("budget %d: it is %d to %d bytes", o.Bytes, MinBytes, MaxBytes)
	case o.Bytes != 0 && (o.VectorBits != 0 || o.Format != (Format{})):
		return optionErrorf("a budget chooses the bits of the vector and the color map itself")
	case o.VectorBits < 0:
		return optionErrorf("bits of the vector %d: at least 1 is needed", o.VectorBits)
	case o.Profile == Tuned && o.DimensionBits > format.MaxTunedBits:
		return optionErrorf("bits of a CLIP dimension %d: the tuned profile has at most %d, the paper's 16", o.DimensionBits, format.MaxTunedBits)
	case o.Sampling == nil:
		return nil
	}
	h := format.NewHeader(1).WithProfile(o.Profile)
	return o.Sampling.put(&h)
}

// Validate returns an [OptionError] if a value is out of the range of every model.
func (s Sampling) Validate() error {
	switch {
	case s.Steps < 1:
		return optionErrorf("steps %d: at least 1 is needed", s.Steps)
	case !(s.Guidance >= 0 && s.Guidance <= MaxGuidance):
		return optionErrorf("guidance %g: it is 0 to %g", s.Guidance, MaxGuidance)
	case !(s.Strength >= 0 && s.Strength <= 1):
		return optionErrorf("strength %g: it is 0 to 1", s.Strength)
	case !(s.ColorGuidance >= 0 && s.ColorGuidance <= 1):
		return optionErrorf("color guidance %g: it is 0 to 1", s.ColorGuidance)
	}
	return nil
}

// samplingOf returns the fields of a header.
func samplingOf(h format.Header) Sampling {
	return Sampling{h.Steps, float64(h.Guidance) / 100, float64(h.Strength) / 1000, h.Seed + uint64(h.Candidate), float64(h.Color) / 100}
}

// put sets the fields of a header.
func (s Sampling) put(h *format.Header) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if h.Profile == Paper && s.ColorGuidance != 0 {
		return optionErrorf("color guidance %g: a file of the paper's profile holds none", s.ColorGuidance)
	}
	h.Steps, h.Seed = s.Steps, s.Seed
	for _, f := range []struct {
		field *int
		name  string
		value float64
		scale float64
		most  float64 // in parts
		parts string
	}{
		{&h.Guidance, "guidance", s.Guidance, 100, 65535, "hundredths up to 655.35"},
		{&h.Strength, "strength", s.Strength, 1000, 1000, "thousandths"},
		{&h.Color, "color guidance", s.ColorGuidance, 100, 100, "hundredths"},
	} {
		whole := math.Round(f.value * f.scale)
		if math.Abs(f.value*f.scale-whole) > 1e-6 || whole > f.most {
			return optionErrorf("%s %g: a file holds %s", f.name, f.value, f.parts)
		}
		*f.field = int(whole)
	}
	return asOption(h.Validate())
}
