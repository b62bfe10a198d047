package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/command"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/kernels"
)

// rootCmd returns the command with all of its subcommands. It sets started when
// the command line has been parsed.
func rootCmd(f *files.IO, s *terminal.Screen, started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "coclico",
		Short: "Pictures in 120 bytes",
		Long: `Coclico keeps what a picture shows (768 bits of CLIP) and where its colors are
(a map of 8 x 8 pixels), 120 bytes in all, and paints it again with Stable
unCLIP.
` + builtInHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.NotEmpty(cmd.Flags()); err != nil {
				return err
			}
			*started = true
			return kernels.Check()
		},
	}
	root.AddCommand(encodeCmd(f, s), decodeCmd(f, s), infoCmd(f, s), compareCmd(f, s), archiveCmd(f, s), searchCmd(f, s), serveCmd(f, s), pullCmd(s), modelsCmd(f, s), synthCmd(s), verifyCmd(s), benchCmd(s), evaluateCmd(f, s),
		manCmd(f), versionCmd(s))
	addVersionFlag(root)
	command.Complete(root)
	return root
}

// builtInNote is what a user of the built-in model should know.
const builtInNote = "the built-in model knows procedural landscapes only; coclico pull gets the real one"

// builtInHelp is the same in the help.
const builtInHelp = `
The built-in model knows procedural landscapes only: it shows how the program
works. "coclico pull" gets the real model, and "coclico models use" makes it the
default.
`

// A usageError is a mistake on the command line that only the command can see.
type usageError = options.UsageError

func usagef(format string, args ...any) error { return options.Usagef(format, args...) }

// oneArg demands a single argument, under the name that the usage line gives it.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s takes one %s, not %d", command.Name(cmd), name, len(args))
		}
		return nil
	}
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return fmt.Errorf("%s takes no arguments, not %s", command.Name(cmd), args[0])
	}
	cmd.SuggestionsMinimumDistance = 2
	text := fmt.Sprintf("%s has no command %s", command.Name(cmd), args[0])
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		text += ": did you mean " + options.OrList(like) + "?"
	}
	return errors.New(text)
}

// optionalArg takes an argument or none.
func optionalArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("%s takes one %s, not %d", command.Name(cmd), name, len(args))
		}
		return nil
	}
}

// twoArgs demands two arguments, under the names that the usage line gives them.
func twoArgs(names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 2 {
			return fmt.Errorf("%s needs %s", command.Name(cmd), names)
		}
		return nil
	}
}

// someArgs demands at least one argument.
func someArgs(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs %s", command.Name(cmd), name)
		}
		return nil
	}
}
