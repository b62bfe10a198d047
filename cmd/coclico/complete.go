package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/catalog"
)

// complete lists a flag's values for the shells' completion.
func complete(cmd *cobra.Command, flag string, words ...string) {
	completeWith(cmd, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeWith completes a flag's value in a way of its own.
func completeWith(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if cmd.RegisterFlagCompletionFunc(flag, f) != nil {
		panic("coclico: completion of a flag that does not exist")
	}
}

// completeModels completes the name of a model of this machine, or else a path.
func completeModels(_ *cobra.Command, _ []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if c, err := catalog.Open(os.Getenv); err == nil {
		if all, err := c.List(); err == nil {
			for _, m := range all {
				if strings.HasPrefix(m.Name, start) {
					names = append(names, m.Name)
				}
			}
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeModel completes a command's first argument, the name of a model.
func completeModel(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return completeModels(cmd, args, start)
}

// completeFiles completes the names of files with some endings.
func completeFiles(endings ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}
