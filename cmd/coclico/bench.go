package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/benchmark"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
)

func benchCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine computes, and where the time goes",
		Long: `Bench runs each network of a model once, which packs its weights for this
machine, and then --runs times. It prints times, rates and memory, and divides
the shortest run by kind of work. Networks that the model lacks, such as those
that models convert left out, are listed as absent.

Operations are counted as the networks define them, two for each multiply-add.
The peak is the rate of multiplying in registers, without loads or stores,
measured in the same run on all processors at once. Exact products cost up to
six bfloat16 products, which the peak counts on some machines. Memory is the
largest resident memory during the work.`,
		Example: "  coclico bench\n  coclico bench --model DIR --runs 5 --json",
		Args:    noArgs,
	}
	flags := cmd.Flags()
	model := modelFlag(cmd)
	runs := options.Whole(flags, "runs", 3, 1, 1000, "runs of each network")
	asJSON := flags.Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		bar := s.Bar()
		defer bar.Close()
		open := func() (*weights.Folder, error) { return openFolder(*model) }
		r, err := benchmark.Run(cmd.Context(), open, *runs, bar.Line)
		if err != nil {
			return err
		}
		bar.Close()
		if *asJSON {
			return s.JSON(r)
		}
		printBench(s.Out, r)
		return nil
	}
	return cmd
}

// quiet is the least share of the processors' time that the networks get on an
// idle machine.
const quiet = 0.85

// isBusy reports whether something else ran during the benchmark. Runs that are
// too short do not tell.
func isBusy(r benchmark.Report) bool {
	seconds := r.Networks[0].Median
	if r.Decode != nil {
		seconds = r.Decode.Seconds
	}
	return r.Machine.Share > 0 && r.Machine.Share < quiet && seconds > 1
}

func printBench(w io.Writer, r benchmark.Report) {
	why := "the best available"
	if forced() {
		why = kernels.EnvVar + " asks for it"
	}
	fmt.Fprintf(w, "machine  kernels %s (%s), %d processors, %s\n", r.Machine.Kernels, why, r.Machine.Processors, r.Machine.Platform)
	if r.Machine.Peak > 0 {
		fmt.Fprintf(w, "peak     %.0f GFLOP/s, all processors multiplying in registers\n", r.Machine.Peak)
	}
	if isBusy(r) {
		fmt.Fprintf(w, "busy     the networks had %.0f %% of the processors' time: something else is running, and times are too long\n", 100*r.Machine.Share)
	}
	fmt.Fprintf(w, "model    %s\n", terminal.Printable(r.Model))
	for _, part := range r.Absent {
		fmt.Fprintf(w, "absent   %s: not measured, the model does not have it\n", part)
	}
	if s := r.Start; s != nil {
		fmt.Fprintf(w, "start    %.2f s to open the model and check it, %.2f s for the prompt; then the first step runs,\n", s.Open, s.Prompt)
		fmt.Fprintf(w, "         with %.2f s to pack the UNet's weights, and ends %.2f s after the beginning\n", s.Packing, s.FirstStep)
	}
	fmt.Fprintln(w)

	fmt.Fprintf(w, "%-34s %9s %9s %7s %9s %9s %8s %10s\n", "", "shortest", "median", "", "GFLOP", "GFLOP/s", "of peak", "memory")
	for _, n := range r.Networks {
		fmt.Fprintf(w, "%-34s %7.3f s %7.3f s %7s %s %10s\n", n.Name+", "+n.Precision, n.Shortest, n.Median, "",
			products(n.GFLOP, n.Rate, n.OfPeak), mebibytes(n.Peak))
		for _, k := range n.Kinds {
			fmt.Fprintf(w, "  %-32s %7.3f s %9s %5.1f %% %s\n", k.Name, k.Seconds, "", 100*k.Seconds/n.Shortest, products(k.GFLOP, k.Rate, k.OfPeak))
		}
	}
	if d := r.Decode; d != nil {
		fmt.Fprintf(w, "\na decode: about %.1f s, including %d steps; about %.1f s with --low-memory\n", d.Seconds, d.Steps, d.LowMemory)
	}
}

// products returns the columns of operations, blank for work without products.
func products(gflop, rate, ofPeak float64) string {
	if gflop == 0 {
		return fmt.Sprintf("%9s %9s %8s", "", "", "")
	}
	share := ""
	if ofPeak > 0 {
		share = fmt.Sprintf("%.1f %%", 100*ofPeak)
	}
	return fmt.Sprintf("%9.1f %9.0f %8s", gflop, rate, share)
}

func mebibytes(m float64) string {
	if m == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f MiB", m)
}
