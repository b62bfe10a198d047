package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coclico/coclico/cmd/internal/process"
)

// TestExtractFull: a full disk ends extract at once, and the same command
// resumes.
func TestExtractFull(t *testing.T) {
	out := t.TempDir()
	if err := unix.Mount("tmpfs", out, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip(err)
	}
	defer unix.Unmount(out, 0)
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("%02d", i))
	}
	a := archiveOf(t, names...)
	fail(t, process.Failed, []string{out + ": no space left on the device; ", "resumes with the rest"}, "archive", "extract", a, "-o", out)
	for name := range contents(t, out) {
		if !strings.HasSuffix(name, streamExt) {
			t.Errorf("it has left %s", name)
		}
	}
	if err := unix.Mount("", out, "", unix.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	succeed(t, "archive", "extract", a, "-o", out)
	if got := contents(t, out); len(got) != len(names) || got["99"+streamExt] != "99" {
		t.Errorf("%d files", len(got))
	}
}

// TestRowBar: at a terminal, whatever reads many rows shows how many, and clears
// that.
func TestRowBar(t *testing.T) {
	t.Setenv("TERM", "xterm")
	a := archiveOf(t, "a", "b", "c")
	for _, c := range []struct {
		doing string
		args  []string
	}{
		{"checking", []string{"check", a}},
		{"compacting", []string{"compact", a}},
		{"merging", []string{"merge", a, "-o", filepath.Join(t.TempDir(), "B")}},
		{"extracting", []string{"extract", a, "-o", filepath.Join(t.TempDir(), "out")}},
		{"removing", []string{"remove", a, "b"}},
	} {
		status, seen := onTerminal(t, append([]string{"archive"}, c.args...)...)
		at, end := strings.Index(seen, "\r\x1b[K"+c.doing+": "), strings.LastIndex(seen, " of 3 rows ...")
		if status != process.OK || at < 0 || end < at || !strings.HasPrefix(seen[end:], " of 3 rows ...\r\x1b[K") || strings.Count(seen, "\n") != 1 {
			t.Errorf("%s: status %d, %q", c.doing, status, seen)
		}
	}
}
