package command

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/codec"
)

// newProgram returns a program with a command that returns err.
func newProgram(err error) *cobra.Command {
	root := &cobra.Command{Use: "picture", Short: "Pictures", SilenceErrors: true, SilenceUsage: true}
	paint := &cobra.Command{Use: "paint FILE", Short: "Paint a file", Args: cobra.ExactArgs(1), RunE: func(*cobra.Command, []string) error { return err }}
	options.Whole(paint.Flags(), "color-bits", 2, 1, 8, strings.TrimSpace(strings.Repeat("bits of each sample of the map, ", 9)))
	root.AddCommand(paint)
	Complete(root)
	return root
}

// call returns what a command line prints, or how its mistake is reported.
func call(err error, args ...string) string {
	var out bytes.Buffer
	root := newProgram(err)
	root.SetArgs(args)
	root.SetOut(&out)
	if cmd, err := root.ExecuteC(); err != nil {
		return Misuse(cmd, err)
	}
	return out.String()
}

// TestMisuse has the mistakes that every program reports in the same words.
func TestMisuse(t *testing.T) {
	option := fmt.Errorf("x.png: %w", codec.OptionError("color guidance 2: must be from 0 to 1"))
	for _, c := range []struct {
		err  error
		args string
		want string
	}{
		{nil, "piant", `unknown command "piant" for "picture"; did you mean paint? (picture --help)`},
		{nil, "help piant", `unknown command "piant" for "picture"; did you mean paint? (picture --help)`},
		{nil, "help paint it", `unknown command "it" for "picture paint" (picture --help)`},
		{nil, "completion tcsh", "completion tcsh: must be bash, zsh, fish or powershell (picture completion --help)"},
		{nil, "completion", "completion takes one SHELL, not 0 (picture completion --help)"},
		{nil, "paint EMPTY", "paint: an argument is empty (picture paint --help)"},
		{nil, "paint x --colour-bits 9", "--color-bits 9: must be a whole number from 1 to 8 (picture paint --help)"},
		{nil, "paint x --colour-bits 8", ""},
		{option, "paint x", "--color-guidance 2: must be from 0 to 1 (picture paint --help)"},
		{errors.New("no model\n"), "paint x", "no model (picture paint --help)"},
	} {
		args := strings.Fields(c.args)
		for i, arg := range args {
			if arg == "EMPTY" {
				args[i] = ""
			}
		}
		if got := call(c.err, args...); got != c.want {
			t.Errorf("%s: %q, want %q", c.args, got, c.want)
		}
	}
}

// TestHelp: the help has 80 columns, and the scripts name their program.
func TestHelp(t *testing.T) {
	page := call(nil, "help", "paint")
	if !strings.Contains(page, "picture paint FILE [flags]") || !strings.Contains(page, "--color-bits int") {
		t.Errorf("help is %q", page)
	}
	for line := range strings.Lines(page) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if text := call(nil, "help", "completion"); !strings.Contains(text, "source <(picture completion bash)") || strings.Contains(text, "PROGRAM") {
		t.Errorf("help is %q", text)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if script := call(nil, "completion", shell); !strings.Contains(script, "picture") {
			t.Errorf("%s: %.80q", shell, script)
		}
	}
}
