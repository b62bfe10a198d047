package main

import (
	"maps"
	"path/filepath"
	"slices"
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
