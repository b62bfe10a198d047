package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/files"
	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/cmd/coclico/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
)

func encodeCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "encode PICTURE... -o FILE",
		Short: "Turn pictures into a few bytes each",
		Long: `Encode writes what is kept of the centre square of a picture, with --fit whole of all of it: as many bits as the
paper's, about 112 bytes, or as many bytes as --bytes says. The file says which model it was made with and what decode needs to
know. --profile paper keeps exactly what the paper keeps, in about 107 bytes; with --raw it is the 120 bytes of the paper and
nothing else, and decode must be given the same parameters.

PICTURE is a PNG, JPEG, GIF or WebP (the first frame), TIFF, BMP, HEIC or AVIF file, whatever its name, or - for standard input.
It is encoded as it is seen: upright, its colors converted to sRGB by its profile, what is transparent over --background.
FILE may be - for standard output. A PNG that decode --keep-stream wrote gives back the bytes that it holds.
` + fmt.Sprintf(manyHelp, ".coclico", "the files that are pictures, or are named so"),
		Example: `  coclico encode photo.jpg -o photo.coclico
  coclico encode photo.jpg -o photo.coclico --model stable-diffusion-2-1-unclip-small
  coclico encode a.jpg photos/ -o out/
  coclico encode - -o - < photo.jpg | wc -c`,
		Args: someArgs("a PICTURE"),
	}
	flags := cmd.Flags()
	output := flags.StringP("output", "o", "", "file to write, or folder for many (required)")
	model := modelFlag(flags)
	sizes := formatFlags(flags)
	flags.Lookup("clip-bits").Usage = fmt.Sprintf("bits of each CLIP dimension, 1 to %d (tuned, where it is their mean) or 16 (paper, --raw)", format.MaxTunedBits)
	m := manyFlags(flags)
	raw := flags.Bool("raw", false, "write the bits alone, exactly the paper's")
	profile := flags.String("profile", "tuned", "tuned, or paper: exactly what the paper keeps, which says less for as many bytes")
	budget := flags.Int("bytes", 0, fmt.Sprintf("tuned: choose the map's and the vector's sizes for a file of at most so many bytes, %d to %d", codec.MinBytes, codec.MaxBytes))
	fit := flags.String("fit", "crop", "crop (the centre square) or whole (all of the picture, in its shape, up to 6:1)")
	complete(cmd, "fit", "crop", "whole")
	complete(cmd, "profile", "paper", "tuned")
	under := flags.String("background", "white", "color under a transparent picture: white, black, gray, #rgb or #rrggbb")
	complete(cmd, "background", "white", "black", "gray")
	sampling := samplingFlags(flags)
	fresh := flags.Bool("from-pixels", false, "encode the pixels even of a PNG that holds its stream; so do --model and the parameters of the format, when given")
	antialias := flags.Bool("antialias", false, "paper: average the whole picture into the colour map, as tuned does; the paper reads four pixels for each of the map's")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *output == "" {
			return usagef("encode needs an output: -o FILE")
		}
		if err := checkFormat(sizes); err != nil {
			return err
		}
		if err := m.check(); err != nil {
			return err
		}
		chosen, err := parseProfile(flags, *profile)
		if err != nil {
			return err
		}
		if *fit != "crop" && *fit != "whole" {
			return usagef("--fit %s: it is crop or whole", *fit)
		}
		background, err := picture.ParseColor(*under)
		if err != nil {
			return usagef("--background %s: %v", *under, err)
		}
		if *budget != 0 && !changed(flags, "map-size", "colour-bits", "clip-bits") {
			*sizes = codec.Format{} // the budget chooses
		}
		e := &encoding{
			model: lazyModel{flag: *model}, options: codec.EncodeOptions{
				Format: *sizes, Antialias: *antialias, Raw: *raw, Whole: *fit == "whole",
				Profile: chosen, Bytes: *budget,
			},
			fresh:      *fresh || changed(flags, "model", "antialias", "map-size", "colour-bits", "clip-bits", "raw", "profile", "bytes", "fit", "steps", "guidance", "strength", "seed", "background"),
			background: background,
		}
		if s, given := sampling(codec.DefaultSampling()); given {
			e.options.Sampling = &s
		}
		defer e.model.close()
		if isMany(args, *output) {
			return encodeMany(cmd.Context(), f, s, m, e, args, *output)
		}
		return one(s, m, args[0], *output, func() error { return encodeFile(cmd.Context(), f, s, e, args[0], *output) })
	}
	return cmd
}

func encodeFile(ctx context.Context, f *files.IO, s *terminal.Screen, e *encoding, input, output string) error {
	return f.Write(output, func(w io.Writer) error {
		in, err := openSource(ctx, f, input, e.fresh)
		if err != nil {
			return err
		}
		src, err := in.read()
		if err != nil {
			return cmp.Or(ctx.Err(), err) // a decoder that is interrupted calls the picture broken
		}
		s.Warn(files.Name(input), src.warnings)
		bar := s.Bar()
		defer bar.Close()
		data, err := e.encode(ctx, input, src, bar.Progress)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
}

// An encoding is what one run of encode does to every picture.
type encoding struct {
	model   lazyModel
	options codec.EncodeOptions
	fresh   bool // encode the pixels even of a file that holds its stream

	background color.RGBA // under transparent pictures
}

// encode returns a picture's stream. An error about the picture begins with its name; any other one is about the
// model or the options, and would be the next picture's too.
func (e *encoding) encode(ctx context.Context, name string, src source, progress func(codec.Progress)) ([]byte, error) {
	if src.stream != nil {
		return src.stream, nil
	}
	c, err := e.model.open()
	if err != nil {
		return nil, err
	}
	o := e.options
	o.Progress = progress
	data, err := c.Encode(ctx, picture.Over(src.img, e.background), &o)
	var unsupported codec.UnsupportedError
	if errors.As(err, &unsupported) {
		return nil, files.Named(name, err)
	}
	return data, err
}
