package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// changed reports whether the user gave one of these flags.
func changed(flags *pflag.FlagSet, names ...string) bool {
	return slices.ContainsFunc(names, flags.Changed)
}

// noEffect refuses flags that would change nothing, and reports why.
func noEffect(flags *pflag.FlagSet, why string, names ...string) error {
	if i := slices.IndexFunc(names, flags.Changed); i >= 0 {
		return usagef("--%s has no effect: %s", names[i], why)
	}
	return nil
}

// modelVar names the model that is used without --model.
const modelVar = catalog.ModelVar

func modelFlag(cmd *cobra.Command) *string {
	m := cmd.Flags().String("model", "", "`model`: a name in coclico models, a folder, or the name on the hub of one that was pulled (default $"+modelVar+", or else the default in coclico models)")
	completeWith(cmd, "model", completeModels)
	return m
}

// rawFlags are the parameters that raw bits do not carry.
var rawFlags = []string{"map-size", "color-bits", "clip-bits"}

// formatFlags adds rawFlags.
func formatFlags(flags *pflag.FlagSet) func() codec.Format {
	size := evenFlag(flags, "map-size", 8, 2, 64, "side of the color map, an even number from 2 to 64")
	colors := wholeFlag(flags, "color-bits", 2, 1, 8, "bits of each sample of the color map, 1 to 8")
	dimensions := wholeFlag(flags, "clip-bits", 1, 1, 16, "bits of each CLIP dimension, 1 to 16")
	return func() codec.Format {
		return codec.Format{DimensionBits: *dimensions, MapSize: *size, ColorBits: *colors}
	}
}

// samplingNames are the parameters of the sampler that a file holds.
var samplingNames = []string{"steps", "guidance", "strength", "seed", "color-guidance"}

// maxSteps is the length of the schedule that every Stable unCLIP was trained
// with.
const maxSteps = 1000

// samplingFlags adds the parameters of the sampler. The result applies those
// that the user gave to others, and reports whether there were any.
func samplingFlags(flags *pflag.FlagSet, maxGuidance float64) func(codec.Sampling) (codec.Sampling, bool) {
	d := codec.DefaultSampling(codec.Tuned)
	steps := wholeFlag(flags, "steps", d.Steps, 1, maxSteps, "steps of the sampler's schedule")
	guidance := decimalFlag(flags, "guidance", d.Guidance, 0, maxGuidance, "classifier-free guidance; 1 turns it off")
	strength := decimalFlag(flags, "strength", d.Strength, 0, 1, "share of the schedule that is run, 0 to 1; lower stays closer to the color map")
	seed := seedFlag(flags, "seed", "seed of the initial noise")
	color := decimalFlag(flags, "color-guidance", d.ColorGuidance, 0, 1, "tuned: share, 0 to 1, by which the first step moves towards the color map, later ones less")
	return func(s codec.Sampling) (codec.Sampling, bool) {
		if flags.Changed("steps") {
			s.Steps = *steps
		}
		if flags.Changed("guidance") {
			s.Guidance = *guidance
		}
		if flags.Changed("strength") {
			s.Strength = *strength
		}
		if flags.Changed("seed") {
			s.Seed = *seed
		}
		if flags.Changed("color-guidance") {
			s.ColorGuidance = *color
		}
		return s, changed(flags, samplingNames...)
	}
}

// A reading is how files are read: as files, or as raw bits of a format.
type reading struct {
	raw    bool
	format codec.Format // of raw bits
}

// readingFlags adds --raw and what it needs, and returns what the user gave.
func readingFlags(flags *pflag.FlagSet) func() (reading, error) {
	sizes := formatFlags(flags)
	raw := flags.Bool("raw", false, "files are raw bits")
	return func() (reading, error) {
		if !*raw {
			if err := noEffect(flags, "without --raw, a file has its own", rawFlags...); err != nil {
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

// precisionFlag adds --precision, and returns whether products are exact.
func precisionFlag(cmd *cobra.Command, words ...string) func() bool {
	const exact = "exact"
	p := choiceFlag(cmd, "precision", "fast (bfloat16 products) or exact (float32)", words...)
	return func() bool { return *p == exact }
}
