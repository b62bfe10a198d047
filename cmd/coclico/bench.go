package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/benchmark"
	"github.com/coclico/coclico/cmd/coclico/internal/terminal"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
)

func benchCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine computes, and where the time goes",
		Long: `Bench runs each network of a model once to bring its weights into the machine's form and then --runs times,
and prints times, rates and memory, with the shortest run divided by kind of work.

Operations are counted as the networks define them, two for each multiplication and addition. The peak is what the
machine multiplies without loading or storing, measured in the same run on all processors at once. Exact
products cost up to six of the peak's where that is of bfloat16. Memory is the most that is resident during a work.`,
		Example: "  coclico bench\n  coclico bench --model DIR --runs 5 --json",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	model := modelFlag(cmd)
	runs := wholeFlag(flags, "runs", 3, 1, 1000, "runs of each network")
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

// quiet is the share of the processors that a machine without other work gives.
const quiet = 0.85

func printBench(w io.Writer, r benchmark.Report) {
	why := "the best available"
	if forced() {
		why = kernels.EnvVar + " asks for it"
	}
	fmt.Fprintf(w, "machine  kernels %s (%s), %d processors, %s\n", r.Machine.Kernels, why, r.Machine.Processors, r.Machine.Platform)
	if r.Machine.Peak > 0 {
		fmt.Fprintf(w, "peak     %.0f GFLOP/s, all processors multiplying in registers\n", r.Machine.Peak)
	}
	if s := r.Machine.Share; s > 0 && s < quiet && r.Decode.Seconds > 1 {
		fmt.Fprintf(w, "busy     the networks had %.0f %% of the processors' time: something else runs here, and times are too long\n", 100*s)
	}
	s := r.Start
	fmt.Fprintf(w, "model    %s\n", r.Model)
	fmt.Fprintf(w, "start    %.2f s to open the model and check it, %.2f s for the prompt; then the first step runs,\n", s.Open, s.Prompt)
	fmt.Fprintf(w, "         %.2f s of it to pack the UNet's weights, and is finished %.2f s after the beginning\n\n", s.Packing, s.FirstStep)

	fmt.Fprintf(w, "%-34s %9s %9s %7s %9s %9s %8s %10s\n", "", "shortest", "median", "", "GFLOP", "GFLOP/s", "of peak", "memory")
	for _, n := range r.Networks {
		fmt.Fprintf(w, "%-34s %7.3f s %7.3f s %7s %s %10s\n", n.Name+", "+n.Precision, n.Shortest, n.Median, "",
			products(n.GFLOP, n.Rate, n.OfPeak), mebibytes(n.Peak))
		for _, k := range n.Kinds {
			fmt.Fprintf(w, "  %-32s %7.3f s %9s %5.1f %% %s\n", k.Name, k.Seconds, "", 100*k.Seconds/n.Shortest, products(k.GFLOP, k.Rate, k.OfPeak))
		}
	}
	fmt.Fprintf(w, "\na decode: about %.1f s, %d steps among it; about %.1f s with --low-memory\n", r.Decode.Seconds, r.Decode.Steps, r.Decode.LowMemory)
}

// products are the columns of operations; work without products has none.
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
