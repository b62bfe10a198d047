package main

import (
	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/cmd/internal/verify"
	"github.com/coclico/coclico/codec/model"
)

func verifyCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify CASES...",
		Short: "Compare this machine's results with reference outputs",
		Long: `Verify recomputes golden cases, files with inputs and outputs of the reference
implementation, and prints for each tensor its relative RMS error and its
largest error over its largest value. Tensors below mid/ are the outputs of the
layer of that name. It exits with status 1 if a tensor is out of bounds.

CASES are case files or folders of them; a file's name determines its kind.`,
		Example: "  coclico synth /tmp/tiny --config tiny --seed 1\n  coclico verify --model /tmp/tiny bench/golden/cases/tiny",
		Args:    someArgs("CASES"),
	}
	modelName := modelFlag(cmd)
	exact := precisionFlag(cmd, "exact", "fast")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		folder, err := openFolder(*modelName)
		if err != nil {
			return err
		}
		defer folder.Close()
		ok, err := verify.Run(cmd.Context(), s.Out, model.New(folder), exact(), args)
		switch {
		case err != nil:
			return err
		case !ok:
			return errReported
		}
		return nil
	}
	return cmd
}
