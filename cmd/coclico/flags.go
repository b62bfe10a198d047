package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// modelVar names the model that is used without --model.
const modelVar = catalog.ModelVar

func modelFlag(cmd *cobra.Command) *string {
	m := cmd.Flags().String("model", "", "`model`: a name in coclico models, a folder, or the name on the hub of one that was pulled (default $"+modelVar+", or else the default in coclico models)")
	completeWith(cmd, "model", completeModels)
	return m
}

// A reading is how files are read: as files, or as raw bits of a format.
type reading struct {
	raw    bool
	format codec.Format // of raw bits
}

// readingFlags adds --raw and what it needs, and returns what the user gave.
func readingFlags(flags *pflag.FlagSet) func() (reading, error) {
	sizes := options.Format(flags)
	raw := flags.Bool("raw", false, "files are raw bits")
	return func() (reading, error) {
		if !*raw {
			if err := options.NoEffect(flags, "without --raw, a file has its own", options.FormatNames...); err != nil {
				return reading{}, err
			}
		}
		return reading{*raw, sizes()}, nil
	}
}

// parse parses a file, or raw bits. Its errors do not name the file.
func (r reading) parse(data []byte) (*codec.File, error) {
	if r.raw {
		f, err := codec.ParseRaw(data, r.format)
		return f, mention(err, "--map-size, --color-bits and --clip-bits must be as they were for encode")
	}
	f, err := codec.Parse(data)
	if err != nil && picture.Known(data[:min(len(data), picture.Sniffed)]) {
		return nil, errors.New("a picture, not a .coclico file; coclico encode makes one from it")
	}
	return f, mention(err, "--raw reads raw bits")
}

// mention adds advice to the error about bytes that are not a file.
func mention(err error, advice string) error {
	if _, ok := err.(codec.FormatError); ok {
		return fmt.Errorf("%w (%s)", err, advice)
	}
	return err
}

// choiceFlag defines a flag for one of several words, which shells complete. The
// first is its default.
func choiceFlag(cmd *cobra.Command, name, usage string, words ...string) *string {
	to := options.Choose(cmd.Flags(), name, usage, words...)
	complete(cmd, name, words...)
	return to
}

// completeChoices makes shells complete the flags of a command that are for one
// of several words.
func completeChoices(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if c, ok := f.Value.(options.Choice); ok {
			complete(cmd, f.Name, c.Words()...)
		}
	})
}

// precisionFlag adds --precision, which shells complete.
func precisionFlag(cmd *cobra.Command, words ...string) func() bool {
	exact := options.Precision(cmd.Flags(), words...)
	complete(cmd, "precision", words...)
	return exact
}
