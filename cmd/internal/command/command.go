// Package command has what the command lines of the programs have in common: the
// help, the shells' completion, and how a mistake is reported.
package command

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/codec"
)

// Complete completes the root of a program, to which its commands have been added
// already.
func Complete(root *cobra.Command) {
	root.AddCommand(completionCmd(root.Name()))
	refuseEmpty(root)
	root.SetHelpCommand(helpCmd())
	root.SetUsageFunc(usage)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return options.FlagError(err) })
	root.SetGlobalNormalizationFunc(spelling)
}

// Name returns a command's name without the program's: "models use".
func Name(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// refuseEmpty makes a command and those below it refuse empty arguments, which
// are variables of a script that are not set.
func refuseEmpty(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		refuseEmpty(c)
	}
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return err
		}
		if slices.Contains(args, "") {
			return options.Usagef("%s: an argument is empty", Name(cmd))
		}
		return nil
	}
}

// spelling accepts the British names of flags too.
func spelling(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "colour", "color"))
}

// Misuse returns the line that reports a mistake on the command line of a command.
func Misuse(cmd *cobra.Command, err error) string {
	var option codec.OptionError
	if errors.As(err, &option) {
		return asFlag(option) + hint(cmd)
	}
	return suggest(err.Error()) + hint(cmd)
}

// hint points to the help of the command that was called.
func hint(cmd *cobra.Command) string {
	if cmd.Name() == "help" {
		cmd = cmd.Root()
	}
	return " (" + cmd.CommandPath() + " --help)"
}

// suggest puts cobra's suggestions for an unknown command into its sentence.
func suggest(message string) string {
	message, names, found := strings.Cut(message, "\n\nDid you mean this?\n")
	if found {
		message += "; did you mean " + options.OrList(strings.Fields(names)) + "?"
	}
	return strings.TrimSpace(message)
}

// asFlag names an option of the codec as its flag: "--steps 1001: ..." for
// "steps 1001: ...".
func asFlag(err codec.OptionError) string {
	message := err.Error()
	for _, c := range [][2]string{
		{"steps ", "--steps "}, {"guidance ", "--guidance "}, {"color guidance ", "--color-guidance "}, {"strength ", "--strength "}, {"size ", "--size "},
		{"noise level ", "--noise-level "}, {"budget ", "--bytes "}, {"rows ", "--rows "}, {"peer ", "--peer "}, {"timeout ", "--timeout "},
	} {
		if rest, ok := strings.CutPrefix(message, c[0]); ok {
			return c[1] + rest
		}
	}
	return message
}
