package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico/internal/batch"
)

// many are the options of a command that works on many files.
type many struct {
	jobs        int
	force, json bool
}

func manyFlags(flags *pflag.FlagSet) *many {
	m := new(many)
	flags.IntVar(&m.jobs, "jobs", 4, "many files: how many are read ahead while the network works, which has all processors")
	flags.BoolVar(&m.force, "force", false, "many files: do also those that are done and unchanged")
	flags.BoolVar(&m.json, "json", false, "print a line of JSON for each file")
	return m
}

func (m *many) check() error {
	if m.jobs < 1 || m.jobs > 1024 {
		return usagef("--jobs %d: 1 to 1024", m.jobs)
	}
	return nil
}

// manyHelp says what encode and decode do with many files.
const manyHelp = `
With several files, with folders, or with a folder as output, each file is mirrored in the output folder as cp -r
would: a.jpg as OUT/a.jpg%[1]s, photos/sub/b.png as OUT/photos/sub/b.png%[1]s. Of a folder are taken %[2]s; names that begin
with a point are not. A file that is done already is passed over if its result is newer than it is and was made with
the same parameters, as far as the result tells; --force does it again. A bad file does not end the run: bad files are
listed at the end, and the exit status is 1. Ctrl-C, or a run that was killed, leaves whole files only, and the same
command goes on with the rest.`

// isMany reports whether a command line is about many files: whether its output is a folder.
func isMany(inputs []string, output string) bool {
	return len(inputs) > 1 || isDir(inputs[0]) || isDir(output) || strings.HasSuffix(output, "/") || os.IsPathSeparator(output[len(output)-1])
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// checkFolder refuses a name for a new folder that can only be meant for a file.
func checkFolder(out string) error {
	endings := []string{streamExt, ".png", ".jpg", ".jpeg", ".webp"}
	if out == stdio {
		return usagef("-o -: many files need a folder for their results")
	}
	if !isDir(out) && slices.Contains(endings, strings.ToLower(filepath.Ext(out))) {
		return usagef("-o %s: many files need a folder for their results", out)
	}
	return nil
}

// memoryAhead is what the inputs in memory may take together.
const memoryAhead = 2 << 30

// runMany does a batch and says how it went. did is the verb, "encoded".
func runMany[T any](ctx context.Context, a *app, m *many, r *batch.Runner[T], inputs []string, did string) error {
	for _, input := range inputs {
		if input == stdio {
			return usagef("- cannot be one of many files")
		}
	}
	if err := checkFolder(r.Plan.Out); err != nil {
		return err
	}
	jobs, err := r.Plan.Jobs(ctx, inputs)
	if err != nil {
		return err
	}
	if err := batch.Probe(r.Plan.Out); err != nil {
		return err
	}
	d := a.newDisplay(len(jobs))
	r.Force, r.Ahead, r.Memory = m.force, m.jobs, memoryAhead
	r.Begin = func(_ int, j batch.Job) { d.begin(j.Input) }
	r.Report = func(_ int, result batch.Result) {
		if m.json {
			d.close()                               // both may be on one terminal
			_ = printJSON(a.stdout, lineOf(result)) // a.stdout keeps the error
		}
		d.end(result)
	}
	a.display = d
	s, err := r.Run(ctx, jobs)
	d.close()
	return a.summarise(m, s, len(jobs), did, err)
}

// summarise says how a batch ended, of which err is what ended it early.
func (a *app) summarise(m *many, s batch.Summary, files int, did string, err error) error {
	rest := files - s.Done - s.Unchanged - len(s.Failed)
	for _, f := range s.Failed {
		a.complain(f.Err.Error())
	}
	again := "the same command goes on with the rest"
	if m.force {
		again += ", without --force"
	}
	switch {
	case errors.Is(err, context.Canceled):
		return interruptedError(fmt.Sprintf("interrupted with %d of %d files %s, all of them whole; %s", s.Done+s.Unchanged, files, did, again))
	case err != nil && rest == files:
		return err
	case err != nil:
		return fmt.Errorf("%w; %d of %d files are %s, and %s", err, s.Done+s.Unchanged, files, did, again)
	}
	if !m.json {
		line := fmt.Sprintf("%d %s", s.Done, did)
		if s.Unchanged > 0 {
			line += fmt.Sprintf(", %d unchanged", s.Unchanged)
		}
		if s.Done > 0 {
			line += fmt.Sprintf(", in %v (%.3g files/s)", s.Elapsed.Round(10*time.Millisecond), float64(s.Done)/s.Elapsed.Seconds())
		}
		fmt.Fprintln(a.stdout, line)
	}
	if n := len(s.Failed); n > 0 {
		return fmt.Errorf("%d of %d files failed, listed above", n, files)
	}
	return nil
}

// An interruptedError says what Ctrl-C left.
type interruptedError string

func (e interruptedError) Error() string { return string(e) }

func (interruptedError) Unwrap() error { return context.Canceled }

// one does the work on a single file, and says so if asked to.
func (a *app) one(m *many, input, output string, work func() error) error {
	if info, err := os.Stat(output); err == nil && info.Mode().IsRegular() && input != stdio && batch.SameFile(input, output) {
		return fileError(input, errors.New("would be written over by its own result"))
	}
	if !m.json {
		return work()
	}
	if output == stdio {
		return usagef("--json and -o - cannot share standard output")
	}
	start := time.Now()
	r := batch.Result{Job: batch.Job{Input: input, Output: output}, Status: batch.Done, Err: work()}
	r.Elapsed = time.Since(start)
	if r.Err != nil {
		r.Status = batch.Failed
	} else if info, err := os.Stat(output); err == nil {
		r.Bytes = info.Size()
	}
	if err := printJSON(a.stdout, lineOf(r)); err != nil && r.Err == nil {
		return err
	}
	return r.Err
}

// A fileLine is what --json says of a file.
type fileLine struct {
	Input   string       `json:"input"`
	Output  string       `json:"output"`
	Status  batch.Status `json:"status"`
	Bytes   int64        `json:"bytes,omitempty"`
	Seconds float64      `json:"seconds,omitempty"`
	Error   string       `json:"error,omitempty"`
}

func lineOf(r batch.Result) fileLine {
	l := fileLine{Input: r.Input, Output: r.Output, Status: r.Status, Bytes: r.Bytes, Seconds: r.Elapsed.Round(time.Microsecond).Seconds()}
	if r.Err != nil {
		l.Error = r.Err.Error()
	}
	return l
}
