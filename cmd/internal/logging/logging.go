// Package logging sets up the log of a long-running program: log/slog, as text
// on a terminal and as JSON anywhere else.
package logging

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// New returns a logger that writes to w the records of a level and above. They
// are text if w is a terminal, and otherwise JSON, one record a line.
func New(w io.Writer, level slog.Leveler) *slog.Logger {
	f, ok := w.(*os.File)
	return newLogger(w, level, ok && term.IsTerminal(int(f.Fd())))
}

func newLogger(w io.Writer, level slog.Leveler, terminal bool) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if terminal {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

// Flag defines --log-level, whose default is info. The level it returns is set
// when the flags are parsed.
func Flag(flags *pflag.FlagSet) *slog.LevelVar {
	v := levelValue{new(slog.LevelVar)}
	flags.Var(v, "log-level", "log this and what is graver: debug, info, warn or error")
	return v.to
}

// Levels are the values of --log-level.
var Levels = []string{"debug", "info", "warn", "error"}

// A levelValue is one of [Levels]. slog would accept "info+3" as well.
type levelValue struct{ to *slog.LevelVar }

func (v levelValue) String() string { return strings.ToLower(v.to.Level().String()) }
func (v levelValue) Type() string   { return "level" }

func (v levelValue) Set(s string) error {
	for _, name := range Levels {
		if s == name {
			return v.to.UnmarshalText([]byte(name))
		}
	}
	return errors.New("must be debug, info, warn or error")
}
