package logging

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestFlag(t *testing.T) {
	for _, test := range []struct {
		args []string
		want slog.Level
		bad  bool
	}{
		{nil, slog.LevelInfo, false},
		{[]string{"--log-level", "debug"}, slog.LevelDebug, false},
		{[]string{"--log-level=info"}, slog.LevelInfo, false},
		{[]string{"--log-level", "warn"}, slog.LevelWarn, false},
		{[]string{"--log-level", "error"}, slog.LevelError, false},
		{[]string{"--log-level", "info+3"}, slog.LevelInfo, true},
		{[]string{"--log-level", "loud"}, slog.LevelInfo, true},
		{[]string{"--log-level", ""}, slog.LevelInfo, true},
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		level := Flag(flags)
		if def := flags.Lookup("log-level").DefValue; def != "info" {
			t.Errorf("default is %q, want info", def)
		}
		if err := flags.Parse(test.args); (err != nil) != test.bad {
			t.Errorf("%q: error %v, want one: %t", test.args, err, test.bad)
		}
		if level.Level() != test.want {
			t.Errorf("%q: level %v, want %v", test.args, level.Level(), test.want)
		}
	}
}

// TestPipe: a pipe gets a JSON object a line, whatever a record holds.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := NewWriter(w)
	log := New(out, slog.LevelInfo)
	log.Debug("unseen")
	log.Info("two\nlines", "name", "\x1b[2J\nINFO forged")
	out.Close()
	w.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got.String(), "\n"); n != 1 {
		t.Errorf("%d lines, want 1:\n%s", n, got.String())
	}
	var record map[string]any
	if err := json.Unmarshal(got.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	if record["level"] != "INFO" || record["msg"] != "two\nlines" || record["name"] != "\x1b[2J\nINFO forged" {
		t.Errorf("record is %v", record)
	}
}

// TestTerminal: a terminal gets text, a record a line, without control characters.
func TestTerminal(t *testing.T) {
	var got bytes.Buffer
	slog.New(newHandler(&got, slog.LevelWarn, true)).Warn("slow", "name", "\x1b[2J\nWARN forged")
	if line := got.String(); strings.Count(line, "\n") != 1 || strings.Contains(line, "\x1b") ||
		!strings.Contains(line, "level=WARN msg=slow name=") {
		t.Errorf("text is %q", line)
	}
}
