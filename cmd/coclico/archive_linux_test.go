package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
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

// TestSearchFull: on a full disk an archive can be searched; its index is in the
// user's cache.
func TestSearchFull(t *testing.T) {
	disk, cache := t.TempDir(), t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip(err)
	}
	defer unix.Unmount(disk, 0)
	t.Setenv("XDG_CACHE_HOME", cache)
	a := filepath.Join(disk, "A")
	if err := os.CopyFS(a, os.DirFS(sceneArchive(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(disk, "rest"), make([]byte, 1<<20), 0o666); err == nil {
		t.Fatal("the disk is not full")
	}
	if got := succeed(t, "search", a, "--near", "river.png", "-k", "3"); strings.Count(got, "\n") != 3 {
		t.Errorf("%q", got)
	}
	if names, err := filepath.Glob(filepath.Join(cache, "coclico", "search", "*.index")); len(names) != 1 || err != nil {
		t.Error(names, err)
	}
}

// TestCreateFull: an archive that a full disk keeps from being written is not
// announced as one that is, and the same command resumes.
func TestCreateFull(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4k"); err != nil {
		t.Skip(err)
	}
	defer unix.Unmount(disk, 0)
	in, a := pictures(t, 0), filepath.Join(disk, "A")
	full := a + ": no space left on the device; "
	r := coclico(t, "archive", "create", in, "-o", a)
	if want := "coclico: " + full + "pictures of the last half minute may be missing from it, and the same command resumes with the rest\n"; r.status != process.Failed || r.stdout != "" || r.stderr != want {
		t.Errorf("%+v, want %s", r, want)
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=64k"); err != nil {
		t.Fatal(err)
	}
	succeed(t, "archive", "create", in, "-o", a)
	if got := archived(t, a); len(got) != 2 {
		t.Errorf("%d rows", len(got))
	}
	// Tombstones need space too.
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=16k"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(disk, "fill"), make([]byte, 64<<10), 0o666); err == nil {
		t.Fatal("the disk is not full")
	}
	if r := coclico(t, "archive", "remove", a, "a.png"); r.status != process.Failed || r.stdout != "" || r.stderr != "coclico: "+strings.TrimSuffix(full, "; ")+"\n" {
		t.Errorf("%+v", r)
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

// TestCloseArchive: what keeps an archive from being written, such as a full disk,
// ends a batch and is reported once, with the archive's folder.
func TestCloseArchive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "A")
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}, Interval: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	store := &archiveStore{dir: dir, writer: w}
	err = batch.Fatal(store.add(&archive.Row{Name: "a", Data: []byte("a")}))
	err = closeArchive(dir, w, summarize(&terminal.Screen{Out: io.Discard, Err: io.Discard}, new(many), batch.Summary{Done: 1}, batch.Passed{}, 2, "encoded", err))
	want := dir + ": no such file or directory; pictures of the last half minute may be missing from it, and the same command resumes with the rest"
	if err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}
