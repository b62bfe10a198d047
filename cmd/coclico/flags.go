package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/tuned"
)

// complete lists the values of a flag for the shells' completions.
func complete(cmd *cobra.Command, flag string, values ...string) {
	if cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) != nil {
		panic("coclico: completion of a flag that is not there")
	}
}

// changed reports whether the user gave one of these flags.
func changed(flags *pflag.FlagSet, names ...string) bool {
	return slices.ContainsFunc(names, flags.Changed)
}

// paintingFlags adds the decoder's parameters that a file has room for, and returns what the user gave of them: zeros for
// the rest.
func paintingFlags(flags *pflag.FlagSet) func() codec.Painting {
	var p codec.Painting
	flags.IntVar(&p.Steps, "steps", 20, "steps of the solver's schedule")
	flags.Float64Var(&p.Guidance, "guidance", 12, "classifier-free guidance; 1 is none")
	flags.Float64Var(&p.Strength, "strength", 0.88, "share of the schedule that is run, 0 to 1: the less, the closer to the colour map")
	flags.Uint64Var(&p.Seed, "seed", 0, "seed of the initial noise")
	return func() codec.Painting {
		given := p
		if !flags.Changed("steps") {
			given.Steps = 0
		}
		given.Guidance, given.Strength = 0, 0
		if flags.Changed("guidance") {
			given.Guidance = explicit(p.Guidance)
		}
		if flags.Changed("strength") {
			given.Strength = explicit(p.Strength)
		}
		return given
	}
}

// checkPainting refuses what the library would take for something else.
func checkPainting(flags *pflag.FlagSet, p codec.Painting) error {
	guidance, _ := flags.GetFloat64("guidance")
	strength, _ := flags.GetFloat64("strength")
	switch {
	case p.Steps < 0 || p.Steps == 0 && flags.Changed("steps"):
		return usagef("--steps %d: at least 1 is needed", p.Steps)
	case guidance < 0 || strength < 0:
		return usagef("--guidance and --strength cannot be negative")
	}
	return nil
}

// parseProfile returns the profile, raw bits have but one, and refuses what it has no room for.
func parseProfile(flags *pflag.FlagSet, name string) (codec.Profile, error) {
	raw, _ := flags.GetBool("raw")
	bits, _ := flags.GetInt("clip-bits")
	switch {
	case name == codec.Paper.String() || raw && !changed(flags, "profile", "bytes"):
		return codec.Paper, nil
	case name == codec.Tuned.String() && bits > tuned.MaxBits:
		return 0, usagef("--clip-bits %d: the tuned profile has at most %d, --profile paper and --raw 16", bits, tuned.MaxBits)
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
	format := formatFlags(flags)
	model := modelFlag(flags)
	raw := flags.Bool("raw", false, "the files are raw bits")
	return func() (*reading, error) {
		f, err := rawFormat(flags, format, *raw)
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
