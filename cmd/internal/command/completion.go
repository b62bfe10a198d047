package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/options"
)

// completionCmd replaces cobra's own, which answers an unknown shell with a page
// of help and success.
func completionCmd(program string) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that completes commands and flags in a shell",
		Long: `Completion prints a script for bash, zsh, fish or powershell. The shell reads it
when it starts, from a file in its folder for completions or by a line in its
configuration. Bash needs the package bash-completion.`,
		Example: strings.ReplaceAll(`  source <(PROGRAM completion bash)
  PROGRAM completion bash > /etc/bash_completion.d/PROGRAM
  PROGRAM completion zsh > "${fpath[1]}/_PROGRAM"
  PROGRAM completion fish > ~/.config/fish/completions/PROGRAM.fish
  PROGRAM completion powershell | Out-String | Invoke-Expression`, "PROGRAM", program),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return options.Usagef("completion takes one SHELL, not %d", len(args))
			}
			if !slices.Contains(shells, args[0]) {
				return options.Usagef("completion %s: must be %s", args[0], options.OrList(shells))
			}
			return nil
		},
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return root.GenPowerShellCompletionWithDesc(out)
		},
	}
}
