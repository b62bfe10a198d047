package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
)

// stamp is the version of a release, which cmd/release sets with -ldflags -X.
var stamp string

func versionCmd(s *terminal.Screen) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the program",
		Example: "  coclico version",
		Args:    noArgs,
		Run:     func(cmd *cobra.Command, _ []string) { fmt.Fprintf(s.Out, "coclico version %s\n", cmd.Root().Version) },
	}
}

// addVersionFlag gives the root command --version, and -v, which print the same
// as the command version.
func addVersionFlag(root *cobra.Command) {
	root.Version = process.Build(version())
	root.Flags().BoolP("version", "v", false, "print the version")
}

func version() string { return process.Version(stamp) }

// build is version, but tells builds of a changed working tree apart, which may not make
// the same of a file.
func build() string { return process.Distinct(version()) }
