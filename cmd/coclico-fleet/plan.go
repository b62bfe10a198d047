package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

func planCmd(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan SOURCE DESTINATION",
		Short: "List the pictures once and write the job",
		Long: `Plan lists SOURCE once and writes the job into DESTINATION: the names, sizes and
times of the pictures, in chunks that a worker does at a time, and how they are
encoded. With --decode, SOURCE is of .coclico files, and DESTINATION gets the
pictures that they describe, as PNG below pictures/.

What is a picture is told by the ending of its name. Names that begin with a dot
are left out, and so are names that are not UTF-8 and, in a folder, links to
other folders: plan reports how many. A picture that has changed when a worker
reads it becomes a row with an error.

Every worker must have the model that plan found here, and the same version of
this program.`,
		Example: `  coclico-fleet plan photos/ out/
  coclico-fleet plan s3://in/photos s3://out/archive --bytes 200 --fit whole
  coclico-fleet plan s3://in/files s3://out/painted --decode --steps 10`,
		Args: args("SOURCE", "DESTINATION"),
	}
	flags := cmd.Flags()
	decode := flags.Bool("decode", false, "paint files instead of encoding pictures")
	chunk := options.Whole(flags, "chunk", 0, 1, job.MaxChunk, "`pictures` that a worker does at a time (default 256, or 8 to decode or with --candidates, but enough chunks to share)")
	asJSON := flags.Bool("json", false, "print the job as a line of JSON")
	name := modelFlag(flags)
	params := addParams(flags)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		given, err := params(*decode)
		if err != nil {
			return err
		}
		m, err := openModel(*name)
		if err != nil {
			return err
		}
		defer m.codec.Close()
		j := &job.Job{Decode: *decode, Params: given, Chunk: *chunk, Model: m.name, Fingerprint: m.fingerprint, Software: version()}
		return p.plan(cmd.Context(), j, m, args[0], args[1], *asJSON)
	}
	return cmd
}

func (p *program) plan(ctx context.Context, j *job.Job, m *chosen, from, to string, asJSON bool) error {
	if err := tryParams(ctx, j, m.codec); err != nil {
		return err
	}
	source, err := bucket.Open(ctx, from)
	if err != nil {
		return err
	}
	defer source.Close()
	out, err := bucket.Open(ctx, to)
	if err != nil {
		return err
	}
	defer out.Close()
	j.Source = source.URL()
	var passed batch.Passed
	source.Passed = &passed
	bar := p.screen.Bar()
	sum, err := job.Write(ctx, j, source.List(ctx, ""), out, func(n int64) { bar.Line(fmt.Sprintf("%d pictures", n)) })
	bar.Close()
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s has a job already: coclico-fleet run resumes it; another job needs another destination", to)
	case errors.Is(err, job.ErrNothing):
		if over := passed.String(); over != "" {
			return fmt.Errorf("%s has no %s (%s)", from, kinds(j), over)
		}
		return fmt.Errorf("%s has no %s", from, kinds(j))
	case err != nil:
		return err
	}
	if over := passed.String(); over != "" {
		p.screen.Complain(from + ": " + over)
	}
	if asJSON {
		return p.screen.JSON(j)
	}
	fmt.Fprintf(p.screen.Out, "%d %s (%s) in %d chunks of %d, model %s %s\n", j.Pictures, kinds(j), terminal.ByteCount(j.Bytes), j.Chunks(), j.Chunk, j.Model, j.Fingerprint)
	if sum.Others > 0 {
		fmt.Fprintf(p.screen.Out, "%d other objects left out\n", sum.Others)
	}
	if sum.Unnamed > 0 {
		p.screen.Complain(fmt.Sprintf("%d names left out that are not UTF-8 or too long, such as %q", sum.Unnamed, sum.Example))
	}
	return nil
}

// kinds names what a job is about.
func kinds(j *job.Job) string {
	if j.Decode {
		return job.FileExt + " files"
	}
	return "pictures"
}

// tryParams checks how the job encodes or paints, so that a parameter that the
// model does not have is an error before the work.
func tryParams(ctx context.Context, j *job.Job, c *codec.Codec) error {
	e, d, err := parseParams(j)
	if err != nil {
		return err
	}
	j.Paints = paints(e)
	if j.Decode {
		err = d.Check(ctx, c)
	} else {
		err = e.Check(ctx, c)
	}
	if errors.As(err, new(codec.OptionError)) {
		return options.UsageError{Err: err}
	}
	return err
}
