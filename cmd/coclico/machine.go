package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/kernels"
)

// A kernelInfo is an implementation of the arithmetic.
type kernelInfo struct {
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Active    bool   `json:"active"`
}

// printMachine prints which implementations this machine can run.
func printMachine(s *terminal.Screen, asJSON bool) error {
	var list []kernelInfo
	for _, name := range kernels.Names() {
		list = append(list, kernelInfo{name, kernels.Available(name), name == kernels.Active()})
	}
	if asJSON {
		return s.JSON(list)
	}
	t := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "kernels\tavailable\tin use")
	for _, k := range list {
		yes, why := "no", ""
		if k.Available {
			yes = "yes"
		}
		if k.Active {
			why = "best available"
			if forced() {
				why = "requested by " + kernels.EnvVar
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, yes, why)
	}
	return t.Flush()
}

// forced reports whether the environment chooses the kernels.
func forced() bool { return os.Getenv(kernels.EnvVar) != "" }
