package main

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
)

// changed reports whether the user gave one of these flags.
func changed(flags *pflag.FlagSet, names ...string) bool {
	return slices.ContainsFunc(names, flags.Changed)
}

// samplingFlags adds the sampling parameters. The result applies those that the
// user gave to others, and reports whether there were any.
func samplingFlags(flags *pflag.FlagSet) func(codec.Sampling) (codec.Sampling, bool) {
	d := codec.DefaultSampling()
	steps := flags.Int("steps", d.Steps, "steps of the sampler's schedule")
	guidance := flags.Float64("guidance", d.Guidance, "classifier-free guidance; 1 is none")
	strength := flags.Float64("strength", d.Strength, "share of the schedule that is run, 0 to 1: the less, the closer to the color map")
	seed := flags.Uint64("seed", d.Seed, "seed of the initial noise")
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
		return s, changed(flags, "steps", "guidance", "strength", "seed")
	}
}

// parseProfile returns the profile, raw bits have but one, and refuses what it has no room for.
func parseProfile(flags *pflag.FlagSet, name string) (codec.Profile, error) {
	raw, _ := flags.GetBool("raw")
	bits, _ := flags.GetInt("clip-bits")
	switch {
	case name == codec.Paper.String() || raw && !changed(flags, "profile", "bytes"):
		return codec.Paper, nil
	case name == codec.Tuned.String() && bits > format.MaxTunedBits:
		return 0, usagef("--clip-bits %d: the tuned profile has at most %d, --profile paper and --raw 16", bits, format.MaxTunedBits)
	case name == codec.Tuned.String():
		return codec.Tuned, nil
	}
	return 0, usagef("--profile %s: it is tuned or paper", name)
}

// rawFormat returns the parameters of raw bits, and refuses them where a file says its own.
func rawFormat(flags *pflag.FlagSet, f *codec.Format, raw bool) (codec.Format, error) {
	if err := checkFormat(f); err != nil {
		return *f, err
	}
	if !raw && changed(flags, "map-size", "colour-bits", "clip-bits") {
		return *f, usagef("--map-size, --colour-bits and --clip-bits are for --raw: a file says its own")
	}
	return *f, nil
}

// readingFlags adds how files are read, and returns it once the flags are.
func readingFlags(flags *pflag.FlagSet) func() (*reading, error) {
	sizes := formatFlags(flags)
	model := modelFlag(flags)
	raw := flags.Bool("raw", false, "the files are raw bits")
	return func() (*reading, error) {
		f, err := rawFormat(flags, sizes, *raw)
		return &reading{f, *raw, lazyModel{flag: *model}}, err
	}
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
