package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/command"
	"github.com/coclico/coclico/cmd/internal/logging"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/kernels"
)

// statusRefused is the exit status of a worker that cannot do the job: starting
// it again is no use.
const statusRefused = 3

// statusFull is the exit status of a worker whose destination is full: starting it
// again before somebody makes room would only do the same pictures again.
const statusFull = 4

// rootCmd returns the command with all of its subcommands. It sets started when
// the command line has been parsed.
func rootCmd(p *program, started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "coclico-fleet",
		Short: "Pictures in 120 bytes, ten million of them, on many machines",
		Long: `Coclico-fleet encodes the pictures of a folder or a bucket into an archive of
120 bytes each, or paints the pictures that files describe, on as many machines
as there are. SOURCE and DESTINATION are folders, or URLs of buckets such as
s3://name/prefix?region=eu-west-1; credentials are where the store's own tools
look for them.

"plan" lists the source once and writes the job into the destination. "run" does
it on this machine. On many machines, "serve" hands out the work and "work"
does it; or each "work --shard" of an array of jobs takes its share, without
anybody to ask. "status" shows how far the job is, "retry" has pictures with
errors done again, and "merge" makes an archive of the results.

Any of these may be killed at any moment, machines and networks may fail, and
work may be done twice: each picture has one row in the end. A run resumes where
the last one ended.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.NotEmpty(cmd.Flags()); err != nil {
				return err
			}
			*started = true
			return kernels.Check()
		},
	}
	root.AddCommand(planCmd(p), runCmd(p), serveCmd(p), workCmd(p), statusCmd(p), retryCmd(p), mergeCmd(p))
	root.Version = process.Build(version())
	root.Flags().BoolP("version", "v", false, "print the version")
	command.Complete(root)
	return root
}

// A program is one run of the command.
type program struct {
	screen *terminal.Screen
	stdin  io.Reader
	stderr io.Writer
	log    *logging.Writer // nil before observe
}

// close ends the log.
func (p *program) close() {
	if p.log != nil {
		p.log.Close()
	}
}

// run is the program: it reads the command line, does the work, and reports
// what went wrong in one line.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := terminal.New(stdout, stderr, os.Getenv)
	s.Program = "coclico-fleet"
	p := &program{screen: s, stdin: stdin, stderr: stderr}
	defer p.close()
	started := false // the command line was right
	root := rootCmd(p, &started)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = s.OutErr()
	}
	var usage options.UsageError
	var refused refusedError
	var full fullError
	switch {
	case err == nil:
		return process.OK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		s.Complain(interrupted(err))
		return process.SignalStatus(ctx)
	case errors.As(err, &refused):
		s.Complain(err.Error())
		return statusRefused
	case errors.As(err, &full):
		s.Complain(err.Error())
		return statusFull
	case !started || errors.As(err, &usage):
		s.Complain(command.Misuse(cmd, err))
		return process.Usage
	}
	s.Complain(err.Error())
	return process.Failed
}

// interrupted returns what is said of a run that a signal ended.
func interrupted(err error) string {
	var stopped stoppedError
	if errors.As(err, &stopped) {
		return stopped.Error()
	}
	return "interrupted"
}

// A stoppedError says what a run that a signal ended has left.
type stoppedError string

func (e stoppedError) Error() string { return string(e) }
func (stoppedError) Unwrap() error   { return context.Canceled }

// A refusedError is the reason why a worker cannot do a job: it has another model
// or version, or an option that the job's pictures cannot have.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// A fullError ends a worker whose destination is full.
type fullError struct{ error }

func (e fullError) Unwrap() error { return e.error }

// args demands arguments, under the names that the usage line gives them.
func args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return fmt.Errorf("%s needs %s, not %d arguments", cmd.Name(), strings.Join(names, " and "), len(args))
		}
		return nil
	}
}
