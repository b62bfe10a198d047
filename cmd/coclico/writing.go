package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// A writing is how decoded pictures are written.
type writing struct {
	flags      *pflag.FlagSet
	format     *string // of many files
	quality    *int    // of JPEG
	keepStream *bool
}

func writingFlags(cmd *cobra.Command) *writing {
	flags := cmd.Flags()
	return &writing{
		flags:      flags,
		format:     choiceFlag(cmd, "format", "many files: png, jpg or webp", "png", "jpg", "webp"),
		quality:    wholeFlag(flags, "jpeg-quality", picture.DefaultQuality, 1, 100, "quality of JPEG, 1 to 100"),
		keepStream: flags.Bool("keep-stream", false, "keep the stream in the PNG, for encode to return it"),
	}
}

// checkOutput refuses a picture file that cannot hold what it should, and flags
// that would not change it.
func (w *writing) checkOutput(output string) error {
	switch {
	case *w.keepStream && !picture.IsPNG(output):
		return usagef("--keep-stream needs a PNG to hold the stream, not %s", output)
	case !picture.IsJPEG(output):
		return noEffect(w.flags, "the picture is not a JPEG", "jpeg-quality")
	}
	return nil
}

// options returns what a picture records about how it was made from a file.
func (w *writing) options(d *decoding, f *codec.File) picture.Options {
	o := picture.Options{Quality: *w.quality, Notes: d.notes(f)}
	if *w.keepStream {
		o.Stream = f.Bytes()
	}
	return o
}

// notes are what is worth knowing about a picture that is made up. They are the
// same whenever the picture is.
func (d *decoding) notes(f *codec.File) []picture.Note {
	o := d.options
	s, _ := d.sampling(f.Sampling())
	label := ""
	if m, err := d.shelf.choosing(f); err == nil {
		label = m.label
	}
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
	prompts := ""
	prompt := f.Prompt()
	if o.Prompt != nil {
		prompt = *o.Prompt
	}
	if prompt != "" {
		prompts += fmt.Sprintf(", prompt %+q", prompt)
	}
	if o.NegativePrompt != "" {
		prompts += fmt.Sprintf(", negative prompt %+q", o.NegativePrompt)
	}
	interrupted := ""
	if d.partial.kept {
		interrupted = ", interrupted after " + d.partial.String()
	}
	return []picture.Note{
		{Key: "Software", Text: "coclico " + version()},
		{Key: "Comment", Text: fmt.Sprintf("Generated picture: painted by a diffusion model from %d bytes, not a photograph", f.Len())},
		{Key: "Parameters", Text: fmt.Sprintf("steps %d, guidance %g, strength %g, seed %d, color guidance %g, %s, noise level %d, size %s, %s%s",
			s.Steps, s.Guidance, s.Strength, s.Seed, s.ColorGuidance, projection, o.NoiseLevel, size, precision, describeSampler(o.Sampler)+prompts+interrupted)},
		{Key: "Model", Text: label},
		{Key: "Source", Text: fmt.Sprintf("sha256:%x", sha256.Sum256(f.Bytes()))},
	}
}
