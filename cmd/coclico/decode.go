package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/codec"
)

func (a *app) decodeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decode FILE... -o PICTURE",
		Short: "Paint the pictures that files describe",
		Long: `Decode paints a picture from the bytes that encode wrote, with the same model and format parameters.
The picture is made up: it shows what the bytes say, in its own way, the same way for the same seed.

PICTURE is written as PNG, as JPEG if its name ends in .jpg, as lossless WebP if it ends in .webp. - stands for standard input
and output. PNG and JPEG files say that they are generated, and how; with --keep-stream a PNG holds the bytes too, and
encode gives them back.
` + fmt.Sprintf(manyHelp, ".png (without .coclico, if it ends so)", "the files that end in .coclico"),
		Example: `  coclico decode photo.coclico -o again.png
  coclico decode photo.coclico -o again.jpg --seed 7 --strength 0.7
  coclico decode out/ -o again/ --format jpg --jpeg-quality 85`,
		Args: someArgs("a FILE"),
	}
	flags := cmd.Flags()
	output := flags.StringP("output", "o", "", "picture to write, .png, .jpg or .webp, or folder for many (required)")
	model := modelFlag(flags)
	format := formatFlags(flags)
	steps := flags.Int("steps", 20, "steps of the solver's schedule")
	guidance := flags.Float64("guidance", 12, "classifier-free guidance; 1 is none")
	strength := flags.Float64("strength", 0.88, "share of the schedule that is run, 0 to 1: the less, the closer to the colour map")
	seed := flags.Uint64("seed", 0, "seed of the initial noise")
	size := flags.Int("size", 0, "pixels per side (default the model's own)")
	level := flags.Int("noise-level", 0, "noise added to the CLIP vector, 0 to 999")
	precision := flags.String("precision", "fast", "fast (bfloat16 products) or exact (float32)")
	m := manyFlags(flags)
	w := writingFlags(cmd)
	complete(cmd, "precision", "fast", "exact")
	lowMemory := flags.Bool("low-memory", false, "the same picture in less memory, and more slowly")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *output == "" {
			return usagef("decode needs an output: -o PICTURE")
		}
		exact, err := parsePrecision(*precision)
		if err != nil {
			return err
		}
		if err := checkFormat(format); err != nil {
			return err
		}
		switch {
		case *steps < 1:
			return usagef("--steps %d: at least 1 is needed", *steps)
		case *size < 0 || *size == 0 && flags.Changed("size"):
			return usagef("--size %d: at least 1 is needed", *size)
		case *guidance < 0 || *strength < 0:
			return usagef("--guidance and --strength cannot be negative")
		}
		d := &decoding{model: lazyModel{flag: *model}, options: codec.DecodeOptions{
			Format: *format, Steps: *steps, Guidance: explicit(*guidance), Strength: explicit(*strength),
			Seed: *seed, Size: *size, Level: *level, Exact: exact, LowMemory: *lowMemory,
		}}
		defer d.model.close()
		if err := m.check(); err != nil {
			return err
		}
		if err := w.check(); err != nil {
			return err
		}
		if isMany(args, *output) {
			return a.decodeMany(cmd.Context(), m, d, w, args, *output)
		}
		return a.one(m, args[0], *output, func() error { return a.decodeFile(cmd.Context(), d, w, args[0], *output) })
	}
	return cmd
}

func (a *app) decodeFile(ctx context.Context, d *decoding, how *writing, input, output string) error {
	encode, err := picture.EncoderFor(output)
	if err != nil {
		return usageError{err}
	}
	if err := how.checkOutput(output); err != nil {
		return err
	}
	return a.writeOutput(output, func(w io.Writer) error {
		data, err := a.readStream(input, maxStream)
		if err != nil {
			return err
		}
		bar := a.newBar()
		defer bar.close()
		img, err := d.decode(ctx, input, data, bar.progress)
		if err != nil {
			return err
		}
		return encode(w, img, how.options(d, data))
	})
}

// A decoding is what one run of decode does to every file.
type decoding struct {
	model   lazyModel
	options codec.DecodeOptions
}

// decode returns the picture of a stream. An error about the stream begins with its name; any other one is about the
// model or the options, and would be the next file's too.
func (d *decoding) decode(ctx context.Context, name string, data []byte, progress func(codec.Progress)) (image.Image, error) {
	c, err := d.model.open()
	if err != nil {
		return nil, err
	}
	o := d.options
	o.Progress = progress
	img, err := c.Decode(ctx, data, &o)
	var format codec.FormatError
	if errors.As(err, &format) {
		return nil, fmt.Errorf("%s: %w; it needs the model and the parameters that it was encoded with", name, err)
	}
	return img, err
}

// maxStream is more than the longest stream there can be.
const maxStream = 1 << 20

// explicit makes a zero that the user wrote one that the library does not take for a default.
func explicit(v float64) float64 {
	if v == 0 {
		return codec.None
	}
	return v
}

func parsePrecision(s string) (exact bool, err error) {
	switch s {
	case "fast":
		return false, nil
	case "exact":
		return true, nil
	}
	return false, usagef("--precision %s: it is fast or exact", s)
}
