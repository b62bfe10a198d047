package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/model/synth"
)

func synthCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "synth DIR",
		Short: "Write a model folder of synthetic weights",
		Long: `Synth writes a complete diffusers folder whose weights follow a law (float16,
the same on every machine): for tests, for measurements, and to try the program
at full size without a download. unclip-l has the dimensions of the real model
and 3.2 GB. What such a model paints means nothing. A folder that is not empty,
and may be a real model, is only overwritten with --force.`,
		Example: "  coclico synth /tmp/unclip-l --config unclip-l --seed 1",
		Args:    oneArg("DIR"),
	}
	flags := cmd.Flags()
	config := choiceFlag(cmd, "config", options.OrList(synth.Names()), synth.Names()...)
	seed := flags.Int64("seed", 1, "seed of the weights")
	force := flags.Bool("force", false, "overwrite what is in DIR")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFolder(args[0]); err != nil {
			return err
		}
		switch entries, err := os.ReadDir(args[0]); {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return files.Named(args[0], err)
		case len(entries) > 0 && !*force:
			return fmt.Errorf("%s: is not empty: --force overwrites it", args[0])
		}
		bar := s.Bar()
		defer bar.Close()
		err := synth.Write(cmd.Context(), args[0], *config, *seed, bar.Bytes)
		if err != nil && cmd.Context().Err() != nil {
			return interruptedError(fmt.Sprintf("interrupted: %s is not whole; the same command with --force writes it again", args[0]))
		}
		if err != nil {
			return err
		}
		bar.Close()
		s.Note("%s: model %s, seed %d", args[0], *config, *seed)
		return nil
	}
	return cmd
}
