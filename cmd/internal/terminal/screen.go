// Package terminal prints the command's results on standard output, and its
// progress and complaints on standard error, as richly as the terminal, pipe or
// file at the other end allows.
package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// A Screen is the command's standard output and standard error.
type Screen struct {
	Out io.Writer // results; see OutErr
	Err io.Writer // progress, notes and complaints

	Program string // whose errors they are

	out    *stickyWriter // Out
	getenv func(string) string
}

// New returns a screen of two writers. The environment describes the terminal:
// TERM, COLORTERM, NO_COLOR and the locale.
func New(stdout, stderr io.Writer, getenv func(string) string) *Screen {
	out := &stickyWriter{Writer: stdout}
	return &Screen{Out: out, Err: stderr, Program: "coclico", out: out, getenv: getenv}
}

// OutErr returns the first error of writing to Out, so that callers that print
// many lines need not check each.
func (s *Screen) OutErr() error { return s.out.err }

// A stickyWriter remembers its first error.
type stickyWriter struct {
	io.Writer
	err error
}

func (w *stickyWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// Watched reports whether standard error is a terminal, so that a user sees
// progress and notes.
func (s *Screen) Watched() bool { return IsTerminal(s.Err) }

// movable reports whether progress can be drawn: whether standard error is a
// terminal whose cursor moves and whose lines can be cleared.
func (s *Screen) movable() bool { return s.Watched() && s.getenv("TERM") != "dumb" }

// IsTerminal reports whether f, a reader or a writer, is a terminal.
func IsTerminal(f any) bool {
	if w, ok := f.(*stickyWriter); ok {
		f = w.Writer
	}
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// JSON prints a value as a line of JSON.
func (s *Screen) JSON(v any) error {
	e := json.NewEncoder(s.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Complain prints an error as one line, whatever its message holds.
func (s *Screen) Complain(message string) {
	lines := strings.FieldsFunc(message, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' })
	fmt.Fprintf(s.Err, "%s: %s\n", s.Program, Printable(strings.Join(lines, "; ")))
}

// Warn prints warnings about a file that was read nevertheless, a line each.
func (s *Screen) Warn(name string, warnings []string) {
	for _, w := range warnings {
		s.Complain(name + ": warning: " + w)
	}
}

// Note prints a line on standard error if that is a terminal. It is for what is
// worth knowing there and noise in a log.
func (s *Screen) Note(format string, args ...any) {
	if s.Watched() {
		fmt.Fprintln(s.Err, Printable(fmt.Sprintf(format, args...)))
	}
}

// Printable replaces characters that a terminal would obey instead of showing,
// which file names may hold, with question marks.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}
