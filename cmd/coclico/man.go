package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/coclico/coclico/cmd/internal/files"
)

func manCmd(f *files.IO) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages",
		Long: `Man writes a manual page for every command to a folder, which it creates if
needed: coclico.1, coclico-encode.1 and so on. The program man finds them in the
folders of $MANPATH, or by their path.`,
		Example: "  coclico man man1 && man man1/coclico-encode.1\n  sudo coclico man /usr/local/share/man/man1",
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFolder(args[0]); err != nil {
				return err
			}
			if err := files.Probe(args[0]); err != nil {
				return err
			}
			return writePages(cmd.Context(), f, cmd.Root(), args[0])
		},
	}
}

// writePages writes the pages of a command and of those below it.
func writePages(ctx context.Context, f *files.IO, cmd *cobra.Command, dir string) error {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			if err := writePages(ctx, f, sub, dir); err != nil {
				return err
			}
		}
	}
	cmd.DisableAutoGenTag = true // a page does not depend on its day
	header := &doc.GenManHeader{
		Title: strings.ToUpper(strings.ReplaceAll(cmd.CommandPath(), " ", "-")), Section: "1",
		Source: "coclico " + version(), Manual: "CoCliCo",
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	return f.Write(ctx, filepath.Join(dir, name), func(w io.Writer) error { return doc.GenMan(cmd, header, w) })
}
