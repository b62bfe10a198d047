package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/coclico/coclico/cmd/internal/command"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/logging"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

// run is the program: it reads the command line, does the work, and reports
// what went wrong in one line.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := terminal.New(stdout, stderr, os.Getenv)
	defer closeLog(s)
	started := false // the command line was right
	f := files.New(stdin, s.Out)
	f.Terminal = terminal.IsTerminal(s.Out)
	f.Member = member
	root := rootCmd(f, s, &started)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && s.OutErr() == nil {
		return process.OK
	}
	var usage usageError
	var option codec.OptionError
	var stopped interruptedError
	switch {
	case err == nil:
		s.Complain(s.OutErr().Error())
		return process.Failed
	case errors.Is(err, errReported):
		return process.Failed
	case ctx.Err() != nil && errors.As(err, &stopped):
		s.Complain(err.Error())
		return process.SignalStatus(ctx)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		s.Complain("interrupted")
		return process.SignalStatus(ctx)
	case !started || errors.As(err, &usage) || errors.As(err, &option):
		s.Complain(command.Misuse(cmd, err))
		return process.Usage
	}
	s.Complain(err.Error())
	return process.Failed
}

// closeLog ends the log that a command has put in the place of standard error.
func closeLog(s *terminal.Screen) {
	if log, ok := s.Err.(*logging.Writer); ok {
		log.Close()
	}
}

// errReported ends the program with process.Failed after standard output has told
// why.
var errReported = errors.New("reported")

// An interruptedError is what Ctrl-C left.
type interruptedError string

func (e interruptedError) Error() string { return string(e) }

func (interruptedError) Unwrap() error { return context.Canceled }
