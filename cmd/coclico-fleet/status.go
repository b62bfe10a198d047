package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/merge"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
)

// A statusLine is what status prints.
type statusLine struct {
	Job      string           `json:"job"`
	Work     string           `json:"work"`
	Source   string           `json:"source"`
	Pictures int64            `json:"pictures"`
	Done     int64            `json:"pictures_done"`
	Chunks   int              `json:"chunks"`
	Parts    int              `json:"chunks_done"`
	Rate     float64          `json:"pictures_per_second,omitempty"`
	Left     float64          `json:"seconds_left,omitempty"`
	Latest   *time.Time       `json:"latest,omitempty"`
	Failed   int              `json:"failed"`
	Failures []worker.Failure `json:"failures,omitempty"`
}

func statusCmd(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status DESTINATION",
		Short: "Show how far a job is, and which pictures have errors",
		Long: `Status shows how far a job is: what is done, how fast of late, how long the rest
takes at that pace, and the pictures with errors. It looks at the results alone
and can be called from anywhere.`,
		Example: `  coclico-fleet status s3://out/archive
  coclico-fleet status out/ --json`,
		Args: args("DESTINATION"),
	}
	asJSON := cmd.Flags().Bool("json", false, "print a line of JSON")
	most := options.Whole(cmd.Flags(), "errors", 10, 0, 1_000_000, "print at most so many errors")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withJob(cmd.Context(), args[0], func(ctx context.Context, j *job.Job, out *bucket.Bucket) error {
			line, err := readStatus(ctx, j, out, *most)
			if err != nil {
				return err
			}
			if *asJSON {
				return p.screen.JSON(line)
			}
			p.printStatus(line)
			return nil
		})
	}
	return cmd
}

// withJob calls f with the job of a destination.
func (p *program) withJob(ctx context.Context, destination string, f func(context.Context, *job.Job, *bucket.Bucket) error) error {
	out, err := bucket.Open(ctx, destination)
	if err != nil {
		return err
	}
	defer out.Close()
	j, err := job.Read(ctx, out)
	if err != nil {
		return err
	}
	return f(ctx, j, out)
}

func readStatus(ctx context.Context, j *job.Job, out *bucket.Bucket, most int) (*statusLine, error) {
	s, err := job.ReadStatus(ctx, j, out)
	if err != nil {
		return nil, err
	}
	line := &statusLine{
		Job: j.ID, Work: j.Work(), Source: j.Source, Pictures: j.Pictures, Done: s.Pictures,
		Chunks: s.Chunks, Parts: s.Done, Rate: s.Rate, Left: s.Left.Seconds(),
	}
	if s.Done > 0 {
		line.Latest = &s.Latest
	}
	for f, err := range worker.FailedChunks(ctx, j, out) {
		if err != nil {
			return nil, err
		}
		line.Failed += len(f.Failures)
		for _, failure := range f.Failures {
			if len(line.Failures) < most {
				line.Failures = append(line.Failures, failure)
			}
		}
	}
	return line, nil
}

func (p *program) printStatus(l *statusLine) {
	w := p.screen.Out
	fmt.Fprintf(w, "%s of %s: %d of %d pictures, %d of %d chunks\n", l.Work, terminal.Printable(l.Source), l.Done, l.Pictures, l.Parts, l.Chunks)
	if l.Rate > 0 && l.Parts < l.Chunks {
		left := time.Duration(l.Left * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(w, "%.3g pictures/s of late, %v left at that pace; the latest chunk %s\n", l.Rate, left, l.Latest.Local().Format(time.DateTime))
	}
	if l.Failed > 0 {
		fmt.Fprintf(w, "%d pictures with errors; coclico-fleet retry has them done again\n", l.Failed)
		for _, f := range l.Failures {
			fmt.Fprintf(w, "  %s: %s\n", terminal.Printable(f.Name), terminal.Printable(f.Error))
		}
		if more := l.Failed - len(l.Failures); more > 0 {
			fmt.Fprintf(w, "  and %d more\n", more)
		}
	}
}

func retryCmd(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "retry DESTINATION",
		Short: "Have pictures with errors done again",
		Long: `Retry has the next run do pictures with errors again, after whatever was wrong
with them, or with a machine, is mended. Other rows stay. A picture that has
changed since the job was planned keeps its error: that takes another job.`,
		Example: `  coclico-fleet retry out/ && coclico-fleet run out/`,
		Args:    args("DESTINATION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withJob(cmd.Context(), args[0], func(ctx context.Context, j *job.Job, out *bucket.Bucket) error {
				n := 0
				for f, err := range worker.FailedChunks(ctx, j, out) {
					if err == nil {
						err = f.Retry(ctx, out)
					}
					if err != nil {
						return err
					}
					n += len(f.Failures)
				}
				fmt.Fprintf(p.screen.Out, "%d pictures to do again; coclico-fleet run does them\n", n)
				return nil
			})
		},
	}
}

func mergeCmd(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge DESTINATION",
		Short: "Make an archive of the results",
		Long: `Merge makes an archive of the results of a job that is done: shards in the order
of the names, and their manifest, beside the parts that the workers have
written. Coclico archive, DuckDB and others read it; the parts below _parts/ may
then be removed. If it is interrupted, the same command starts over. Pictures
with errors have rows in the archive, too, and the status is then 1.`,
		Example: `  coclico-fleet merge out/ && coclico archive ls out/`,
		Args:    args("DESTINATION"),
	}
	rows := options.Whole(cmd.Flags(), "shard-rows", archive.DefaultShardRows, 1, 1<<30, "rows of a shard")
	force := cmd.Flags().Bool("force", false, "replace the archive of an earlier merge")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withJob(cmd.Context(), args[0], func(ctx context.Context, j *job.Job, out *bucket.Bucket) error {
			found, err := out.Has(ctx, archive.ManifestName)
			if err != nil {
				return err
			}
			if found && !*force {
				return fmt.Errorf("%s has an archive already: --force replaces it", args[0])
			}
			bar := p.screen.Bar()
			defer bar.Close()
			m, err := merge.Merge(ctx, j, out, int64(*rows), func(stage merge.Stage, chunk int) {
				bar.Line(fmt.Sprintf("%s: chunk %d of %d", stage, chunk+1, j.Chunks()))
			})
			bar.Close()
			if err != nil {
				return err
			}
			fmt.Fprintf(p.screen.Out, "%d rows in %d shards\n", j.Pictures, len(m.Shards))
			failed, err := worker.CountFailed(ctx, j, out)
			if err == nil && failed > 0 {
				err = fmt.Errorf("%d of %d pictures have errors: coclico-fleet status lists them", failed, j.Pictures)
			}
			return err
		})
	}
	return cmd
}
