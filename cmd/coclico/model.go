package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico/internal/catalog"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
)

// modelVar names the model that is used without --model.
const modelVar = catalog.ModelVar

func modelFlag(flags *pflag.FlagSet) *string {
	return flags.String("model", "", "model: a name that coclico models lists, a diffusers folder, or a pulled model's name on the hub\n(default $"+modelVar+", then that of coclico models use, then the built-in one)")
}

// openFolder opens the model that --model, $COCLICO_MODEL or the configuration names.
func openFolder(flag string) (*weights.Folder, error) {
	c, err := catalog.Open(os.Getenv)
	if err != nil {
		return nil, err
	}
	m, err := c.Choose(flag)
	if err != nil {
		return nil, err
	}
	return c.Open(m)
}

// modelHint says which --model decodes a file whose model has this fingerprint, if it is on this machine.
func modelHint(id codec.ModelID) string {
	if c, err := catalog.Open(os.Getenv); err == nil {
		const bits = format.FingerprintBits
		if names := c.Matching(uint32(id)<<(32-bits), bits); len(names) > 0 {
			return "--model " + names[0] + " is of that kind"
		}
	}
	return "--model chooses"
}

// formatFlags adds the parameters that a raw stream does not carry.
func formatFlags(flags *pflag.FlagSet) *codec.Format {
	f := new(codec.Format)
	flags.IntVar(&f.MapSize, "map-size", 8, "side of the colour map, even, 2 to 64")
	flags.IntVar(&f.ColorBits, "colour-bits", 2, "bits of each sample of the colour map, 1 to 8")
	flags.IntVar(&f.DimensionBits, "clip-bits", 1, "bits of each CLIP dimension, 1 to 16")
	return f
}

// checkFormat refuses what the library would take for a default.
func checkFormat(f *codec.Format) error {
	if f.MapSize == 0 || f.ColorBits == 0 || f.DimensionBits == 0 {
		return usagef("--map-size, --colour-bits and --clip-bits cannot be 0")
	}
	p := format.Params{DimensionBits: f.DimensionBits, MapSize: f.MapSize, ColorBits: f.ColorBits}
	if err := p.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

// forced reports whether the environment chooses the kernels.
func forced() bool { return os.Getenv(kernels.EnvVar) != "" }
