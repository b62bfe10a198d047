package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// TestExtractReplaces: a tar or zip file is replaced only if all that is asked
// for could be read.
func TestExtractReplaces(t *testing.T) {
	a, out := archiveOf(t, "a", "b/c"), t.TempDir()
	tarred, empty := filepath.Join(out, "x.tar"), filepath.Join(out, "y.zip")
	succeed(t, "archive", "extract", a, "-o", tarred)
	before := contents(t, out)
	fail(t, process.Failed, []string{"no name matches none; " + tarred + " is left as it was"}, "archive", "extract", a, "a", "none", "-o", tarred, "--force")
	fail(t, process.Failed, []string{"no name matches none\n"}, "archive", "extract", a, "none", "-o", empty)
	if !maps.Equal(contents(t, out), before) {
		t.Errorf("%v", slices.Collect(maps.Keys(contents(t, out))))
	}
}

// TestExtractForeign: a file in the way is replaced only if it is a .coclico file or
// the beginning of the file that takes its place. What a killed run left is
// replaced.
func TestExtractForeign(t *testing.T) {
	a := archiveOf(t, "a", "b/c")
	valid, err := os.ReadFile("../../codec/testdata/coffee.coclico")
	if err != nil {
		t.Fatal(err)
	}
	for was, kept := range map[string]bool{"mine": true, "": false, "\x00": false, string(valid): false, "aa": true} {
		out := t.TempDir()
		file := filepath.Join(out, "a"+streamExt)
		if err := os.WriteFile(file, []byte(was), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, ".a"+streamExt+".part"), []byte("of a killed run"), 0o666); err != nil {
			t.Fatal(err)
		}
		r := coclico(t, "archive", "extract", a, "-o", out)
		got := contents(t, out)
		if want := file + ": exists and is not a .coclico file: move it away\n"; kept && (r.status != process.Failed || r.stdout != "1 extracted\n" || !strings.Contains(r.stderr, want) || got["a"+streamExt] != was) {
			t.Errorf("%q: %+v", was, r)
		}
		if !kept && (r.status != process.OK || got["a"+streamExt] != "a" || len(got) != 2) {
			t.Errorf("%q: %+v, %q", was, r, got)
		}
	}
}

// TestExtractUnwritten: a file that cannot be written is reported by its name.
func TestExtractUnwritten(t *testing.T) {
	a, out := archiveOf(t, "a", "b/c"), t.TempDir()
	if err := os.WriteFile(filepath.Join(out, "b"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	r := coclico(t, "archive", "extract", a, "-o", out)
	if want := "coclico: " + filepath.Join(out, "b", "c"+streamExt) + ": "; r.status != process.Failed || r.stdout != "1 extracted\n" || !strings.HasPrefix(r.stderr, want) || strings.Count(r.stderr, "\n") != 2 {
		t.Errorf("%+v, want %s", r, want)
	}
}
