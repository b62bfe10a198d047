package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
)

// modelVar names the model folder that is used without --model.
const modelVar = "COCLICO_MODEL"

func modelFlag(flags *pflag.FlagSet) *string {
	return flags.String("model", "", "diffusers folder of the model (default $"+modelVar+", then the built-in model)")
}

// openFolder opens the folder that --model, $COCLICO_MODEL or neither names.
func openFolder(flag string) (*weights.Folder, error) {
	if flag == "" {
		flag = os.Getenv(modelVar)
	}
	if flag == "" {
		return codec.BuiltIn()
	}
	return weights.OpenFolder(flag)
}

// formatFlags adds the parameters that a raw stream does not carry.
func formatFlags(flags *pflag.FlagSet) *codec.Format {
	f := new(codec.Format)
	flags.IntVar(&f.MapSize, "map-size", 8, "side of the colour map, even, 2 to 64")
	flags.IntVar(&f.ColourBits, "colour-bits", 2, "bits of each sample of the colour map, 1 to 8")
	flags.IntVar(&f.ClipBits, "clip-bits", 1, "bits of each CLIP dimension, 1 to 16")
	return f
}

// checkFormat refuses what the library would take for a default.
func checkFormat(f *codec.Format) error {
	if f.MapSize == 0 || f.ColourBits == 0 || f.ClipBits == 0 {
		return usagef("--map-size, --colour-bits and --clip-bits cannot be 0")
	}
	if _, err := f.Params(1); err != nil {
		return usageError{err}
	}
	return nil
}

// forced reports whether the environment chooses the kernels.
func forced() bool { return os.Getenv(kernels.EnvVar) != "" }
