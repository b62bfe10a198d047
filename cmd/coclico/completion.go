package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
)

// completionCmd replaces cobra's own, which answers an unknown shell with a page
// of help and success.
func completionCmd(s *terminal.Screen) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that completes commands and flags in a shell",
		Long: `Completion prints a script for bash, zsh, fish or powershell. The shell reads it
when it starts, from a file in its folder for completions or by a line in its
configuration. Bash needs the package bash-completion.`,
		Example: `  source <(coclico completion bash)
  coclico completion bash > /etc/bash_completion.d/coclico
  coclico completion zsh > "${fpath[1]}/_coclico"
  coclico completion fish > ~/.config/fish/completions/coclico.fish
  coclico completion powershell | Out-String | Invoke-Expression`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := oneArg("SHELL")(cmd, args); err != nil {
				return err
			}
			if !slices.Contains(shells, args[0]) {
				return usagef("completion %s: must be %s", args[0], options.OrList(shells))
			}
			return nil
		},
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(s.Out, true)
			case "zsh":
				return root.GenZshCompletion(s.Out)
			case "fish":
				return root.GenFishCompletion(s.Out, true)
			}
			return root.GenPowerShellCompletionWithDesc(s.Out)
		},
	}
}
