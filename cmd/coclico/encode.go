package main

import (
	"errors"
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
		return a.writeOutput(*output, func(w io.Writer) error {
			img, err := a.readPicture(args[0])
			if err != nil {
				return err
			}
			c, err := openCodec(*model)
			if err != nil {
				return err
			}
			defer c.Close()
			bar := a.newBar()
			defer bar.close()
			data, err := c.Encode(cmd.Context(), img, &codec.EncodeOptions{Format: *format, Antialias: *antialias, Progress: bar.progress})
			var unsupported codec.UnsupportedError
			switch {
			case errors.As(err, &unsupported): // other errors are not about the picture
				return fileError(args[0], err)
			case err != nil:
				return err
			}
			_, err = w.Write(data)
			return err
		})
	}
	return cmd
}

// openCodec opens the codec of the model that the user wants.
func openCodec(model string) (*codec.Codec, error) {
	folder, err := openFolder(model)
	if err != nil {
		return nil, err
	}
	return codec.New(folder), nil
}
