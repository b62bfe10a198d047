package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/files"
	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/cmd/coclico/internal/terminal"
	"github.com/coclico/coclico/codec"
)

func decodeCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decode FILE... -o PICTURE",
		Short: "Paint the pictures that files describe",
		Long: `Decode paints a picture from the file that encode wrote, with the same model: another one is an error, unless --any-model.
Raw bits are decoded with --raw and the format parameters that they were encoded with.
The picture is made up: it shows what the bytes say, in its own way, the same way for the same seed.

PICTURE is written as PNG, as JPEG if its name ends in .jpg, as lossless WebP if it ends in .webp. - stands for standard input
and output. PNG and JPEG files say that they are generated, and how; with --keep-stream a PNG holds the bytes too, and
encode gives them back. The one file that -o names is replaced, whatever it is; among many, a PNG or JPEG that is none of
decode's is not written over, unless --force.
` + fmt.Sprintf(manyHelp, ".png (without .coclico, if it ends so)", "the files that end in .coclico"),
		Example: `  coclico decode photo.coclico -o again.png
  coclico decode photo.coclico -o again.jpg --seed 7 --strength 0.7
  coclico decode out/ -o again/ --format jpg --jpeg-quality 85`,
		Args: someArgs("a FILE"),
	}
	flags := cmd.Flags()
	output := flags.StringP("output", "o", "", "picture to write, .png, .jpg or .webp, or folder for many (required)")
	model := modelFlag(flags)
	sizes := formatFlags(flags)
	raw := flags.Bool("raw", false, "the file is raw bits")
	sampling := samplingFlags(flags)
	size := flags.Int("size", 0, "pixels of the longer side (default the model's own)")
	level := flags.Int("noise-level", 0, "noise added to the CLIP vector, 0 to 999")
	precision := flags.String("precision", "fast", "fast (bfloat16 products) or exact (float32)")
	m := manyFlags(flags)
	flags.Lookup("force").Usage = "many files: do also those that are done and unchanged, and write over other pictures"
	anyModel := flags.Bool("any-model", false, "decode files of another model too: the colours are right, what the picture shows is not")
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
		given, err := rawFormat(flags, sizes, *raw)
		if err != nil {
			return err
		}
		if s, _ := sampling(codec.DefaultSampling()); s.Validate() != nil {
			return usageError{s.Validate()}
		}
		if *size < 0 || *size == 0 && flags.Changed("size") {
			return usagef("--size %d: at least 1 is needed", *size)
		}
		d := &decoding{model: lazyModel{flag: *model}, raw: *raw, format: given, sampling: sampling, options: codec.DecodeOptions{
			AnyModel: *anyModel, Size: *size, NoiseLevel: *level, Exact: exact, LowMemory: *lowMemory,
		}}
		defer d.model.close()
		if err := m.check(); err != nil {
			return err
		}
		if err := w.check(); err != nil {
			return err
		}
		if isMany(args, *output) {
			return decodeMany(cmd.Context(), f, s, m, d, w, args, *output)
		}
		return one(s, m, args[0], *output, func() error { return decodeFile(cmd.Context(), f, s, d, w, args[0], *output) })
	}
	return cmd
}

func decodeFile(ctx context.Context, f *files.IO, s *terminal.Screen, d *decoding, how *writing, input, output string) error {
	encode, err := picture.EncoderFor(output)
	if err != nil {
		return usageError{err}
	}
	if err := how.checkOutput(output); err != nil {
		return err
	}
	return f.Write(output, func(w io.Writer) error {
		if _, err := d.model.open(); err != nil {
			return err
		}
		file, err := d.open(ctx, f, input)
		if err != nil {
			return err
		}
		bar := s.Bar()
		defer bar.Close()
		img, err := d.decode(ctx, input, file, bar.Progress)
		if err != nil {
			return err
		}
		return encode(w, img, how.options(d, file))
	})
}

// A decoding is what one run of decode does to every file.
type decoding struct {
	model    lazyModel
	raw      bool         // files are raw bits
	format   codec.Format // of raw bits
	sampling func(codec.Sampling) (codec.Sampling, bool)
	options  codec.DecodeOptions
}

// open reads and parses a file.
func (d *decoding) open(ctx context.Context, f *files.IO, path string) (*codec.File, error) {
	data, err := f.Read(ctx, path, maxStream)
	if err != nil {
		return nil, err
	}
	file, err := parseFile(data, d.raw, d.format)
	if err != nil {
		return nil, files.Named(path, err)
	}
	return file, nil
}

// decode returns the picture of a file. An error about the file begins with its
// name; any other one is about the model or the options, and would be the next
// file's too.
func (d *decoding) decode(ctx context.Context, name string, f *codec.File, progress func(codec.Progress)) (image.Image, error) {
	c, err := d.model.open()
	if err != nil {
		return nil, err
	}
	o := d.options
	o.Progress = progress
	if s, given := d.sampling(f.Sampling()); given {
		o.Sampling = &s
	}
	img, err := c.Paint(ctx, f, &o)
	var wrong *codec.ModelError
	switch {
	case errors.As(err, &wrong):
		hint := modelHint(wrong.File)
		if !o.AnyModel { // with which only vectors of other sizes are refused
			hint += ", --any-model decodes anyway"
		}
		return nil, fmt.Errorf("%s: %w (%s)", name, err, hint)
	case isAboutStream(err):
		return nil, files.Named(name, err)
	}
	return img, err
}

// isAboutStream reports whether an error is about a file and not about the model or the options.
func isAboutStream(err error) bool {
	var format codec.FormatError
	var unsupported codec.UnsupportedError
	var wrong *codec.ModelError
	return errors.As(err, &format) || errors.As(err, &unsupported) || errors.As(err, &wrong)
}
