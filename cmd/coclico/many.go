package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/pack"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
)

// many are the options of a command that works on many files.
type many struct {
	jobs        *int
	force, json bool
}

func manyFlags(flags *pflag.FlagSet, jobs int, ahead, force string) *many {
	m := &many{jobs: options.Whole(flags, "jobs", jobs, 1, 1024, "many files: "+ahead)}
	flags.BoolVar(&m.force, "force", false, force)
	flags.BoolVar(&m.json, "json", false, "print a line of JSON for each file")
	return m
}

// manyHelp is what encode and decode do with many files: the two commands' own
// parts and the rest.
const (
	manyHelp = `
With several files, with folders, or with a folder as output, each file is
mirrored in the output folder as cp -r would: `
	manyRestHelp = ` Names that begin with
a dot are skipped, and so are linked folders; what is passed over is counted at
the end. A result's name of more than 255 bytes is shortened. A file that is
done is skipped if nothing can have changed it since, and if its result records
the same parameters, as far as it can; --force does it again. A name that does
not exist ends the run before it begins. A bad file does not end it: bad files
are listed at the end, and the exit status is 1.
Ctrl-C, or a run that was killed, leaves whole files only, and the same command
resumes with the rest.`
)

// isMany reports whether a command line is about many files: whether its output
// is a folder.
func isMany(inputs []string, output string) bool {
	return len(inputs) > 1 || isFolder(inputs[0]) || isFolder(output) || strings.HasSuffix(output, "/") || os.IsPathSeparator(output[len(output)-1])
}

// isFolder reports whether an argument is a folder. One of the name - is ./-.
func isFolder(path string) bool { return path != files.Stdio && files.IsDir(path) }

// checkFolder refuses a name for a new folder that can only be meant for a file.
func checkFolder(out string) error {
	isFile := hasEnding(out, []string{streamExt[1:], "png", "jpg", "jpeg", "webp"}) || pack.IsPack(out) || pack.IsForeign(out)
	if out == files.Stdio || isFile && !files.IsDir(out) {
		return usagef("%s: must be a folder", out)
	}
	return nil
}

// looking shows on a bar how many files have been found in folders.
func looking(bar *terminal.Bar) func(n int) {
	return func(n int) {
		bar.Count(func(time.Duration) string { return fmt.Sprintf("looking: %d files", n) })
	}
}

// memoryAhead is what the inputs in memory may take together, on a machine that
// has as much.
const memoryAhead = 2 << 30

// runMany runs a batch and reports how it went. did is the verb, "encoded".
func runMany[T any](ctx context.Context, f *files.IO, s *terminal.Screen, board *terminal.Board, m *many, plan *batch.Plan, r *batch.Runner[T], inputs []string, did string) error {
	if slices.Contains(inputs, files.Stdio) {
		return usagef("- cannot be one of many files")
	}
	if err := checkFolder(plan.Out); err != nil {
		return err
	}
	bar := s.Bar()
	plan.Found = looking(bar)
	jobs, passed, err := plan.Jobs(ctx, inputs)
	bar.Close()
	if err != nil {
		for _, input := range inputs {
			err = cmp.Or(takenForFolder(input), err)
		}
		return err
	}
	if err := files.Probe(plan.Out); err != nil {
		return err
	}
	r.Store = plan.On(f.Disk())
	return runJobs(ctx, s, board, m, r, &jobList{jobs: batch.Each(jobs), total: len(jobs), passed: passed}, did)
}

// A jobList is the jobs of a batch.
type jobList struct {
	jobs   iter.Seq2[batch.Job, error]
	total  int          // how many there are, 0 if that is not known
	passed batch.Passed // complete when the jobs are

	// flush, if not nil, keeps the results of all jobs that have ended.
	flush func() error
}

// runJobs runs a batch and reports how it went.
func runJobs[T any](ctx context.Context, s *terminal.Screen, board *terminal.Board, m *many, r *batch.Runner[T], list *jobList, did string) error {
	board.Start(list.total)
	r.Force, r.Ahead, r.Memory = m.force, *m.jobs, process.Share(memoryAhead)
	r.Begin = func(_ int, j batch.Job) { board.Begin(j.Input) }
	report := r.Report
	r.Report = func(i int, result batch.Result) {
		if report != nil {
			report(i, result)
		}
		if m.json {
			board.Close()              // both may be on one terminal
			_ = s.JSON(lineOf(result)) // s remembers the error
		}
		count(board, result.Status)
	}
	sum, err := r.Run(ctx, list.jobs)
	if list.flush != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = cmp.Or(list.flush(), err)
	}
	board.Close()
	total := cmp.Or(list.total, sum.Done+sum.Unchanged+len(sum.Failed))
	return summarize(s, m, sum, list.passed, total, did, err)
}

// count counts a file's end on the board.
func count(b *terminal.Board, s batch.Status) {
	switch s {
	case batch.Done:
		b.Done()
	case batch.Failed:
		b.Failed()
	default:
		b.Skipped()
	}
}

// summarize reports how a batch ended. err is what ended it early.
func summarize(s *terminal.Screen, m *many, sum batch.Summary, passed batch.Passed, files int, did string, err error) error {
	rest := files - sum.Done - sum.Unchanged - len(sum.Failed)
	for _, f := range sum.Failed {
		s.Complain(f.Err.Error())
	}
	again := "the same command resumes with the rest"
	if m.force {
		again += ", without --force"
	}
	switch {
	case errors.Is(err, context.Canceled):
		return interruptedError(fmt.Sprintf("interrupted with %d of %d files %s, all of them whole; %s", sum.Done+sum.Unchanged, files, did, again))
	case errors.As(err, new(unwrittenError)):
		return fmt.Errorf("%w; pictures of the last half minute may be missing from it, and %s", err, again)
	case err != nil && rest == files:
		return err
	case err != nil:
		return fmt.Errorf("%w; %d of %d files are %s, and %s", err, sum.Done+sum.Unchanged, files, did, again)
	}
	if !m.json {
		line := fmt.Sprintf("%d %s", sum.Done, did)
		if sum.Unchanged > 0 {
			line += fmt.Sprintf(", %d unchanged", sum.Unchanged)
		}
		if sum.Done > 0 {
			line += fmt.Sprintf(", in %v (%s files/s)", sum.Elapsed.Round(10*time.Millisecond), terminal.Rate(float64(sum.Done)/sum.Elapsed.Seconds()))
		}
		fmt.Fprintln(s.Out, line)
	}
	if err := printPassed(s, passed, m.json); err != nil {
		return err
	}
	if n := len(sum.Failed); n > 0 {
		return fmt.Errorf("%d of %d files failed, listed above", n, files)
	}
	return nil
}

// printPassed prints what folders had besides the files that were taken: how
// many, or as JSON which.
func printPassed(s *terminal.Screen, passed batch.Passed, asJSON bool) error {
	if asJSON {
		for _, path := range passed.Names {
			if err := s.JSON(newLine(path, "", statusPassed)); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if over := passed.String(); over != "" {
		_, err = fmt.Fprintln(s.Out, terminal.Printable(over))
	}
	return err
}
