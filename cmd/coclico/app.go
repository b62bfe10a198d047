package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/kernels"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailed      = 1   // something could not be done
	statusUsage       = 2   // the command line is wrong
	statusInterrupted = 130 // Ctrl-C, as shells have it
)

// An app is one run of the program.
type app struct {
	ctx            context.Context // of the run, which what may wait for ever ends with
	stdin          io.Reader
	stdout, stderr io.Writer
	started        bool // the command line was right
	display        *display
}

// run is the program: it reads the command line, does the work, and says what went wrong in
// one line.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &checkedWriter{Writer: stdout}
	a := &app{ctx: ctx, stdin: stoppable{ctx, stdin}, stdout: out, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil && out.err == nil {
		return statusOK
	}
	var usage usageError
	var option codec.OptionError
	var stopped interruptedError
	switch {
	case err == nil:
		a.complain(out.err.Error())
		return statusFailed
	case errors.Is(err, errReported):
		return statusFailed
	case ctx.Err() != nil && errors.As(err, &stopped):
		a.complain(err.Error())
		return statusInterrupted
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		a.complain("interrupted")
		return statusInterrupted
	case !a.started || errors.As(err, &usage) || errors.As(err, &option):
		a.complain(strings.TrimSpace(err.Error()) + " (coclico --help)")
		return statusUsage
	}
	a.complain(err.Error())
	return statusFailed
}

// errReported ends the program with statusFailed where stdout has said why.
var errReported = errors.New("reported")

// A usageError is a mistake on the command line that only the command itself can see.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// A checkedWriter keeps the first error for those who print line after line.
type checkedWriter struct {
	io.Writer
	err error
}

func (w *checkedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// stoppable stands for a reader that may wait for ever, and does so no longer than its context lasts.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (n int, err error) {
	buf, done := make([]byte, len(p)), make(chan struct{})
	var got int
	var failed error
	go func() {
		defer close(done)
		got, failed = s.r.Read(buf)
	}()
	select {
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	case <-done:
		return copy(p, buf[:got]), failed
	}
}

// complain prints one line, whatever the message.
func (a *app) complain(message string) {
	lines := strings.FieldsFunc(message, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' })
	fmt.Fprintf(a.stderr, "coclico: %s\n", printable(strings.Join(lines, "; ")))
}

// warn prints what is wrong with a file that was read all the same, a line each.
func (a *app) warn(path string, warnings []string) {
	if len(warnings) > 0 && a.display != nil {
		a.display.close() // it is drawn again below the warnings
	}
	for _, w := range warnings {
		a.complain(fileError(path, errors.New("warning: "+w)).Error())
	}
}

// printable takes out of a text what would give a terminal orders, which the name of somebody's file may do.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "coclico",
		Short:         "Pictures in 120 bytes",
		Long:          "coclico keeps of a picture what it shows (768 bits of CLIP) and where its colours are (an 8 x 8 map),\n120 bytes in all, and paints it again with Stable unCLIP.",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.started = true
			return kernels.Check()
		},
	}
	root.AddCommand(a.encodeCmd(), a.decodeCmd(), a.infoCmd(), a.compareCmd(), a.pullCmd(), a.modelsCmd(), a.synthCmd(), a.verifyCmd(), a.benchCmd(), a.manCmd(), a.completionCmd(), a.versionCmd())
	root.SetHelpCommand(a.helpCmd())
	return root
}

// oneArg demands a single argument, which the usage line calls so.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s takes one %s, not %d", cmd.Name(), name, len(args))
		}
		return nil
	}
}

func someArgs(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs %s", cmd.Name(), name)
		}
		return nil
	}
}

// isTerminal reports whether somebody watches w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
