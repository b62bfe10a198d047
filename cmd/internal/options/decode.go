package options

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
)

// A Decoding is how pictures are painted.
type Decoding struct {
	Options codec.DecodeOptions // without Sampling, which For adds

	flags    *pflag.FlagSet
	sampling func(codec.Sampling) (codec.Sampling, bool)
}

// Decode adds the flags that change the picture, and returns what the user gave,
// or an error if a flag would change nothing, whatever the file: see CheckFile.
func Decode(flags *pflag.FlagSet) func() (*Decoding, error) {
	sampling := samplingFlags(flags, codec.MaxGuidance)
	for _, name := range SamplingNames { // by default those of the file
		flags.Lookup(name).DefValue = ""
	}
	flags.Lookup("color-guidance").Usage = "share, 0 to 1, by which the first step moves towards the color map, later ones less"
	sampler := samplerFlags(flags)
	prompt := flags.String("prompt", "", "`text` that says what the picture shows")
	negative := flags.String("negative-prompt", "", "`text` that says what the picture is to be unlike")
	size := Whole(flags, "size", 0, 8, codec.MaxSize, "pixels of the longer side, a multiple of 8 (default the model's own)")
	level := Whole(flags, "noise-level", 0, 0, 999, "noise added to the CLIP vector, 0 to 999")
	exact := Precision(flags, "fast", "exact")
	plain := flags.Bool("no-projection", false, "tuned: leave the colors as the model painted them, instead of moving them into the levels that the file says they had")
	anyModel := flags.Bool("any-model", false, "decode files of other models too: the colors are right, what the picture shows is not")
	return func() (*Decoding, error) {
		d := &Decoding{flags: flags, sampling: sampling, Options: codec.DecodeOptions{
			AnyModel: *anyModel, Size: *size, NoiseLevel: *level, Exact: exact(), NoProjection: *plain, NegativePrompt: *negative,
			Sampler: sampler(),
		}}
		if flags.Changed("prompt") {
			d.Options.Prompt = prompt
		}
		return d, d.checkSampling(codec.Sampling{Steps: maxSteps, Guidance: 2, Strength: 1}) // of a file that uses all flags
	}
}

// CheckFile returns an error if the user gave a flag that would change nothing in
// a file's picture. Of many files, some may use what others do not: there it is
// for those, and For leaves it out elsewhere.
func (d *Decoding) CheckFile(f *codec.File) error {
	if f.Profile() == codec.Paper {
		if err := unused(d.flags, "the file is of the paper's profile, which has no such levels", "no-projection"); err != nil {
			return err
		}
	}
	return d.checkSampling(f.Sampling())
}

// guidanceFlags are the flags that change nothing without guidance.
var guidanceFlags = []string{"guidance-interval", "guidance-rescale", "apg", "negative-prompt"}

// checkSampling is CheckFile for the sampling of a file. The numbers that a file
// holds are never refused, since clients send them together; the seed may count
// even without a step, in a model whose schedule ends in noise.
func (d *Decoding) checkSampling(s codec.Sampling) error {
	s, _ = d.sampling(s)
	if why := noStep(s); why != "" {
		return unused(d.flags, why, append([]string{"sampler", "schedule", "noise-level", "prompt"}, guidanceFlags...)...)
	}
	if s.Guidance == 1 {
		return unused(d.flags, "guidance 1 turns guidance off", guidanceFlags...)
	}
	return nil
}

// For returns the options for a file: what the user gave replaces the file's
// sampling, and what would change nothing is left out.
func (d *Decoding) For(f *codec.File) codec.DecodeOptions {
	o := d.Options
	s, given := d.sampling(f.Sampling())
	if given {
		o.Sampling = &s
	}
	switch {
	case noStep(s) != "":
		o.Sampler, o.NegativePrompt, o.NoiseLevel, o.Prompt = codec.Sampler{}, "", 0, new("")
	case s.Guidance == 1:
		o.Sampler = codec.Sampler{Method: o.Sampler.Method, Order: o.Sampler.Order, Schedule: o.Sampler.Schedule}
		o.NegativePrompt = ""
	}
	return o
}

// Check returns the error with which every file of a model would fail to be
// painted, such as a size that the model does not have. No network runs: a square
// file of zeros is painted in a context that has ended.
func (d *Decoding) Check(ctx context.Context, c *codec.Codec) error {
	prior, err := c.Prior()
	if err != nil {
		return err
	}
	zeros := make([]byte, format.Params{Dimensions: len(prior.Moments)}.WithDefaults().Bytes())
	f, err := codec.ParseRaw(zeros, codec.Format{})
	if err != nil {
		return err
	}
	ended, end := context.WithCancel(ctx)
	end()
	how := d.For(f)
	if _, err = c.Paint(ended, f, &how); errors.Is(err, context.Canceled) {
		return ctx.Err()
	}
	return err
}

// Notes are what is worth knowing about a picture that is made up: the program
// and the model that painted it, and why it is unfinished, if it is. They hold all
// that the picture depends on.
func (d *Decoding) Notes(f *codec.File, software, model, unfinished string) []picture.Note {
	o := d.For(f)
	s, _ := d.sampling(f.Sampling())
	precision := "fast"
	if o.Exact {
		precision = "exact"
	}
	projection := "projection"
	if f.Profile() == codec.Paper || o.NoProjection {
		projection = "no projection"
	}
	size := "the model's own"
	if o.Size != 0 {
		size = fmt.Sprint(o.Size)
	}
	more := describeSampler(o.Sampler)
	prompt := f.Prompt()
	if o.Prompt != nil {
		prompt = *o.Prompt
	}
	if prompt != "" {
		more += fmt.Sprintf(", prompt %+q", prompt)
	}
	if o.NegativePrompt != "" {
		more += fmt.Sprintf(", negative prompt %+q", o.NegativePrompt)
	}
	if unfinished != "" {
		more += ", " + unfinished
	}
	return []picture.Note{
		{Key: "Software", Text: software},
		{Key: "Comment", Text: fmt.Sprintf("Generated picture: painted by a diffusion model from %d bytes, not a photograph", f.Len())},
		{Key: "Parameters", Text: fmt.Sprintf("steps %d, guidance %g, strength %g, seed %d, color guidance %g, %s, noise level %d, size %s, %s%s",
			s.Steps, s.Guidance, s.Strength, s.Seed, s.ColorGuidance, projection, o.NoiseLevel, size, precision, more)},
		{Key: "Model", Text: model},
		{Key: "Source", Text: fmt.Sprintf("sha256:%x", sha256.Sum256(f.Bytes()))},
	}
}
