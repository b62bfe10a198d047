package main

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/codec"
)

// A writing is how decoded pictures are written.
type writing struct {
	format     string // of many files
	quality    int    // of JPEG
	keepStream bool
}

func writingFlags(cmd *cobra.Command) *writing {
	w, flags := new(writing), cmd.Flags()
	flags.StringVar(&w.format, "format", "png", "many files: png, jpg or webp")
	flags.IntVar(&w.quality, "jpeg-quality", picture.DefaultQuality, "quality of JPEG, 1 to 100")
	flags.BoolVar(&w.keepStream, "keep-stream", false, "keep the stream in the PNG, so that encode gives it back")
	complete(cmd, "format", pictureFormats()...)
	return w
}

func pictureFormats() []string { return []string{"png", "jpg", "webp"} }

func (w *writing) check() error {
	switch {
	case w.quality < 1 || w.quality > 100:
		return usagef("--jpeg-quality %d: 1 to 100", w.quality)
	case !slices.Contains(pictureFormats(), w.format):
		return usagef("--format %s: it is png, jpg or webp", w.format)
	}
	return nil
}

// checkOutput refuses a picture file that cannot hold what it should.
func (w *writing) checkOutput(output string) error {
	if w.keepStream && !picture.IsPNG(output) {
		return usagef("--keep-stream: only a PNG holds a stream, not %s", output)
	}
	return nil
}

// options say of a picture how it was made of a stream.
func (w *writing) options(d *decoding, f *codec.File) picture.Options {
	o := picture.Options{Quality: w.quality, Notes: d.notes(f)}
	if w.keepStream {
		o.Stream = f.Bytes()
	}
	return o
}

// notes are what is worth knowing of a picture that is made up. They say the same whenever the picture is the same.
func (d *decoding) notes(f *codec.File) []picture.Note {
	o := d.options
	s, _ := d.sampling(f.Sampling())
	_, _ = d.model.open() // without it there is no picture to speak of
	precision := "fast"
	if o.Exact {
		precision = "exact"
	}
	size := "the model's own"
	if o.Size != 0 {
		size = fmt.Sprint(o.Size)
	}
	return []picture.Note{
		{Key: "Software", Text: "coclico " + version()},
		{Key: "Comment", Text: fmt.Sprintf("Generated picture: painted by a diffusion model from %d bytes, not a photograph", f.Len())},
		{Key: "Parameters", Text: fmt.Sprintf("steps %d, guidance %g, strength %g, seed %d, noise level %d, size %s, %s",
			s.Steps, s.Guidance, s.Strength, s.Seed, o.NoiseLevel, size, precision)},
		{Key: "Model", Text: d.model.name},
		{Key: "Source", Text: fmt.Sprintf("sha256:%x", sha256.Sum256(f.Bytes()))},
	}
}
