// Package logging sets up the log of a long-running program: log/slog, as text
// on a terminal and as JSON anywhere else. The program does not wait for who
// reads its log, and outlives that reader: see [Writer].
package logging

import (
	"errors"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/pflag"
)

// New returns a logger that writes to w the records of a level and above. They
// are text if w writes to a terminal, and otherwise JSON, one record a line.
func New(w *Writer, level slog.Leveler) *slog.Logger {
	return slog.New(newHandler(w, level, w.terminal))
}

func newHandler(w io.Writer, level slog.Leveler, terminal bool) slog.Handler {
	opts := &slog.HandlerOptions{Level: level}
	if terminal {
		return slog.NewTextHandler(w, opts)
	}
	return slog.NewJSONHandler(w, opts)
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
