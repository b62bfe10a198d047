package main

import (
	"context"
	"errors"
	"image"
	"io"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/codec"
)

func (a *app) encodeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "encode PICTURE -o FILE",
		Short: "Turn a picture into a few bytes",
		Long: `Encode writes the centre square of a picture as raw bits: 120 bytes with the real model and the
paper's parameters. The file carries no parameters; give decode the same ones.

PICTURE is a PNG, JPEG (turned as its camera was held), GIF, WebP, TIFF or BMP file, or - for standard input. FILE may be - for standard output.`,
		Example: "  coclico encode photo.jpg -o photo.coclico\n  coclico encode photo.jpg -o photo.coclico --model stable-diffusion-2-1-unclip-small",
		Args:    oneArg("PICTURE"),
	}
	flags := cmd.Flags()
	output := flags.StringP("output", "o", "", "file to write (required)")
	model := modelFlag(flags)
	format := formatFlags(flags)
	antialias := flags.Bool("antialias", false, "average the whole picture into the colour map; the paper reads four pixels for each of the map's")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *output == "" {
			return usagef("encode needs an output: -o FILE")
		}
		if err := checkFormat(format); err != nil {
			return err
		}
		e := &encoding{model: *model, options: codec.EncodeOptions{Format: *format, Antialias: *antialias}}
		defer e.close()
		return a.writeOutput(*output, func(w io.Writer) error {
			img, err := a.readPicture(args[0])
			if err != nil {
				return err
			}
			bar := a.newBar()
			defer bar.close()
			data, err := e.encode(cmd.Context(), args[0], img, bar.progress)
			if err != nil {
				return err
			}
			_, err = w.Write(data)
			return err
		})
	}
	return cmd
}

// An encoding is what one run of encode does to every picture.
type encoding struct {
	model   string
	options codec.EncodeOptions
	codec   *codec.Codec // nil before the first picture
}

// encode returns a picture's stream. An error about the picture begins with its name; any other one is about the
// model or the options, and would be the next picture's too.
func (e *encoding) encode(ctx context.Context, name string, img image.Image, progress func(codec.Progress)) ([]byte, error) {
	if e.codec == nil {
		c, err := openCodec(e.model)
		if err != nil {
			return nil, err
		}
		e.codec = c
	}
	o := e.options
	o.Progress = progress
	data, err := e.codec.Encode(ctx, img, &o)
	var unsupported codec.UnsupportedError
	if errors.As(err, &unsupported) {
		return nil, fileError(name, err)
	}
	return data, err
}

func (e *encoding) close() {
	if e.codec != nil {
		e.codec.Close()
	}
}

// openCodec opens the codec of the model that the user wants.
func openCodec(model string) (*codec.Codec, error) {
	folder, err := openFolder(model)
	if err != nil {
		return nil, err
	}
	return codec.New(folder), nil
}
