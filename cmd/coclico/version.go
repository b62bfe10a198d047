package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

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
	root.Version = fmt.Sprintf("%s %s/%s %s", version(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	root.Flags().BoolP("version", "v", false, "print the version")
}

// version returns the version of a release, else that of the module, else the
// commit of a checkout.
func version() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "(devel)"
}
