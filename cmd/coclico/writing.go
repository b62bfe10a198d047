package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/options"
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
		quality:    options.Whole(flags, "jpeg-quality", picture.DefaultQuality, 1, 100, "quality of JPEG, 1 to 100"),
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
		return options.NoEffect(w.flags, "the picture is not a JPEG", "jpeg-quality")
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

// notes are what is worth knowing about a picture that is made up.
func (d *decoding) notes(f *codec.File) []picture.Note {
	label, interrupted := "", ""
	if m, err := d.shelf.choosing(f); err == nil {
		label = m.label
	}
	if d.partial.kept {
		interrupted = "interrupted after " + d.partial.String()
	}
	return d.how.Notes(f, "coclico "+build(), label, interrupted)
}
