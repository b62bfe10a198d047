package main

import (
	"fmt"
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
