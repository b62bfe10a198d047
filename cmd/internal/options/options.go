// Package options has the parameters of encoding and decoding as flags: for the
// command line, and for the queries of a server, whose parameters are the same.
package options

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/codec"
)

// A UsageError is a mistake that only all flags together show.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e UsageError) Unwrap() error { return e.Err }

// Usagef returns a UsageError.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// Changed reports whether the user gave one of these flags.
func Changed(flags *pflag.FlagSet, names ...string) bool {
	return slices.ContainsFunc(names, flags.Changed)
}

// NoEffect refuses flags that would change nothing, and reports why.
func NoEffect(flags *pflag.FlagSet, why string, names ...string) error {
	if i := slices.IndexFunc(names, flags.Changed); i >= 0 {
		return Usagef("--%s has no effect: %s", names[i], why)
	}
	return nil
}

// unused is NoEffect for the parameters of a client, which may send all of them: a
// flag with its default is not refused.
func unused(flags *pflag.FlagSet, why string, names ...string) error {
	return NoEffect(flags, why, slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		f := flags.Lookup(name)
		return f.Value.String() == f.DefValue
	})...)
}

// NotEmpty refuses flags that were given no text, which are variables of a script
// that are not set: an empty --token-file would let everybody in. The prompts may
// be empty.
func NotEmpty(flags *pflag.FlagSet) error {
	var err error
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && !slices.Contains([]string{"prompt", "negative-prompt"}, f.Name) {
			err = Usagef("--%s is empty", f.Name)
		}
	})
	return err
}

// FormatNames are the parameters that raw bits do not carry.
var FormatNames = []string{"map-size", "color-bits", "clip-bits"}

// Format adds the flags of FormatNames.
func Format(flags *pflag.FlagSet) func() codec.Format {
	size := Even(flags, "map-size", 8, 2, 64, "side of the color map, an even number from 2 to 64")
	colors := Whole(flags, "color-bits", 2, 1, 8, "bits of each sample of the color map, 1 to 8")
	dimensions := Whole(flags, "clip-bits", 1, 1, 16, "bits of each CLIP dimension, 1 to 16")
	return func() codec.Format {
		return codec.Format{DimensionBits: *dimensions, MapSize: *size, ColorBits: *colors}
	}
}

// SamplingNames are the parameters of the sampler that a file holds.
var SamplingNames = []string{"steps", "guidance", "strength", "seed", "color-guidance"}

// maxSteps is the length of the schedule that every Stable unCLIP was trained
// with.
const maxSteps = 1000

// samplingFlags adds the parameters of the sampler. The result applies those
// that the user gave to others, and reports whether there were any.
func samplingFlags(flags *pflag.FlagSet, maxGuidance float64) func(codec.Sampling) (codec.Sampling, bool) {
	d := codec.DefaultSampling(codec.Tuned)
	steps := Whole(flags, "steps", d.Steps, 1, maxSteps, "steps of the sampler's schedule")
	guidance := Decimal(flags, "guidance", d.Guidance, 0, maxGuidance, "classifier-free guidance; 1 turns it off")
	strength := Decimal(flags, "strength", d.Strength, 0, 1, "share of the schedule that is run, 0 to 1; lower stays closer to the color map")
	seed := Seed(flags, "seed", "seed of the initial noise; files of the tuned profile add a number of their own")
	color := Decimal(flags, "color-guidance", d.ColorGuidance, 0, 1, "tuned: share, 0 to 1, by which the first step moves towards the color map, later ones less")
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
		return s, Changed(flags, SamplingNames...)
	}
}

// noStep returns why no step of a sampling is run, or nothing if one is: of n
// steps the last int(n*strength) are, as diffusers counts.
func noStep(s codec.Sampling) string {
	if int(float64(s.Steps)*s.Strength) > 0 {
		return ""
	}
	return fmt.Sprintf("strength %g runs none of the %d steps", s.Strength, s.Steps)
}

// Precision adds --precision, and returns whether products are exact.
func Precision(flags *pflag.FlagSet, words ...string) func() bool {
	const exact = "exact"
	p := Choose(flags, "precision", "fast (bfloat16 products) or exact (float32)", words...)
	return func() bool { return *p == exact }
}
