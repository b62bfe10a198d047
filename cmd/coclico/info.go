package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/files"
	"github.com/coclico/coclico/kernels"
)

func (a *app) infoCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info FILE...",
		Short: "Say what the bits of files are, or what this machine computes with",
		Long: `Info prints what a file says: its size, its CLIP bits and its colour map. The CLIP bits
are read with the model that the file was made with; everything else needs none. Of raw bits, with --raw, the length and the
format parameters give the number of CLIP dimensions, a multiple of 8. On a terminal the colour map is a picture,
in true colours if $COLORTERM says truecolor or 24bit, and not with $NO_COLOR. A PNG that decode --keep-stream wrote
is taken for the stream in it. - stands for standard input.

Of several files, and of folders, it prints a table, and with --json a line each.

With --machine it prints instead which implementations of the arithmetic this machine can run.`,
		Example: "  coclico info photo.coclico\n  coclico info photo.coclico --json\n  coclico info out/\n  coclico info --machine",
	}
	flags := cmd.Flags()
	how := readingFlags(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	machine := flags.Bool("machine", false, "print what this machine computes with")
	size := flags.Int("size", 768, "pixels of the longer side that bits per pixel are given for")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *machine != (len(args) == 0) {
			return usagef("info needs FILEs or --machine")
		}
		if *machine {
			return a.infoMachine(*asJSON)
		}
		if *size < 1 || *size > 1<<20 {
			return usagef("--size %d: 1 to %d", *size, 1<<20)
		}
		r, err := how()
		if err != nil {
			return err
		}
		defer r.model.close()
		if err := r.checkModel(); err != nil {
			return err
		}
		if len(args) > 1 || files.IsDir(args[0]) {
			return a.infoTable(cmd.Context(), args, r, *size, *asJSON)
		}
		return a.infoFile(args[0], r, *size, *asJSON)
	}
	return cmd
}

// A kernelInfo is an implementation of the arithmetic.
type kernelInfo struct {
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Active    bool   `json:"active"`
}

func (a *app) infoMachine(asJSON bool) error {
	var list []kernelInfo
	for _, name := range kernels.Names() {
		list = append(list, kernelInfo{name, kernels.Available(name), name == kernels.Active()})
	}
	if asJSON {
		return printJSON(a.stdout, list)
	}
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "kernels\tavailable\tin use")
	for _, k := range list {
		yes, why := "no", ""
		if k.Available {
			yes = "yes"
		}
		if k.Active {
			why = "best available"
			if forced() {
				why = kernels.EnvVar + " asks for it"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, yes, why)
	}
	return t.Flush()
}
