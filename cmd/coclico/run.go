package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/coclico/coclico/cmd/coclico/internal/files"
	"github.com/coclico/coclico/cmd/coclico/internal/terminal"
	"github.com/coclico/coclico/codec"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailed      = 1   // something could not be done
	statusUsage       = 2   // the command line is wrong
	statusInterrupted = 130 // Ctrl-C, as shells have it
)

// run is the program: it reads the command line, does the work, and reports
// what went wrong in one line.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := terminal.New(stdout, stderr, os.Getenv)
	started := false // the command line was right
	root := rootCmd(files.New(stdin, s.Out), s, &started)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil && s.OutErr() == nil {
		return statusOK
	}
	var usage usageError
	var option codec.OptionError
	var stopped interruptedError
	switch {
	case err == nil:
		s.Complain(s.OutErr().Error())
		return statusFailed
	case errors.Is(err, errReported):
		return statusFailed
	case ctx.Err() != nil && errors.As(err, &stopped):
		s.Complain(err.Error())
		return statusInterrupted
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		s.Complain("interrupted")
		return statusInterrupted
	case !started || errors.As(err, &usage) || errors.As(err, &option):
		s.Complain(strings.TrimSpace(err.Error()) + " (coclico --help)")
		return statusUsage
	}
	s.Complain(err.Error())
	return statusFailed
}

// errReported ends the program with statusFailed after standard output has told
// why.
var errReported = errors.New("reported")

// An interruptedError is what Ctrl-C left.
type interruptedError string

func (e interruptedError) Error() string { return string(e) }

func (interruptedError) Unwrap() error { return context.Canceled }
