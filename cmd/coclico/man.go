package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) manCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages",
		Long: `Man writes a manual page for every command to a folder, which it makes if needed: coclico.1, coclico-encode.1 ...
man reads them from where $MANPATH says, or by their path.`,
		Example: "  coclico man man1 && man man1/coclico-encode.1\n  sudo coclico man /usr/local/share/man/man1",
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return fileError(args[0], err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the day of the writing is nobody's business
			header := &doc.GenManHeader{Title: "COCLICO", Section: "1", Source: "coclico " + version(), Manual: "CoCliCo"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fileError(args[0], err)
			}
			return nil
		},
	}
}
