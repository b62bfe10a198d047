package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/process"
)

// TestUnread: a file whose name cannot be looked up, here a link to itself, is a
// failure of whatever works on its folder.
func TestUnread(t *testing.T) {
	photos, streams := pictures(t, 0), t.TempDir()
	for _, path := range []string{filepath.Join(photos, "loop.png"), filepath.Join(streams, "loop"+streamExt)} {
		if err := os.Symlink(filepath.Base(path), path); err != nil {
			t.Skip(err)
		}
	}
	_, err := os.Stat(filepath.Join(photos, "loop.png"))
	_, reason, _ := strings.Cut(err.Error(), "loop.png: ")
	a := filepath.Join(t.TempDir(), "A")
	for _, args := range [][]string{
		{"encode", photos, "-o", t.TempDir()},
		{"archive", "create", photos, "-o", a},
		{"info", streams},
		{"decode", streams, "-o", t.TempDir()},
		{"evaluate", photos, "-o", t.TempDir(), "--rows", "thumbhash"},
	} {
		r := coclico(t, args...)
		if r.status != process.Failed || strings.Count(r.stdout+r.stderr, reason) != 1 || strings.Contains(r.stdout, "passed over") {
			t.Errorf("%q: status %d\n%s\n%s", args, r.status, r.stdout, r.stderr)
		}
	}
	if got := succeed(t, "archive", "ls", a, "--long"); strings.Count(got, reason) != 1 {
		t.Errorf("the archive has\n%s", got)
	}
}

// TestCircular: a link to itself that is not named like a picture is no failure of
// what works on pictures.
func TestCircular(t *testing.T) {
	photos := pictures(t, 0)
	if err := os.Symlink("notes", filepath.Join(photos, "notes")); err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{
		{"encode", photos, "-o", t.TempDir()},
		{"archive", "create", photos, "-o", filepath.Join(t.TempDir(), "A")},
		{"evaluate", photos, "-o", t.TempDir(), "--rows", "thumbhash"},
	} {
		succeed(t, args...)
	}
}

// A failing is a file whose reads fail once.
type failing struct {
	files.File
	left int // reads until then
}

func (f *failing) Read(p []byte) (int, error) {
	if f.left--; f.left == 0 {
		return 0, errFailing
	}
	return f.File.Read(p)
}

var errFailing = errors.New("the disk failed")

// TestUnreadHead: a file whose first bytes cannot be read is not taken for one of
// another kind.
func TestUnreadHead(t *testing.T) {
	if !wantsPicture(t.TempDir()) { // which can be opened, and not read
		t.Error("what cannot be read is passed over")
	}
	for left := 1; left <= 3; left++ { // a PNG's stream, the kind, all of it
		in := &failing{files.InMemory([]byte("a text")), left}
		if _, err := new(inspector).read(t.Context(), in, "a"); !errors.Is(err, errFailing) || err.Error() != "a: the disk failed" {
			t.Errorf("read %d: error %v", left, err)
		}
	}
}

// TestUnreadOutput: a file that cannot be looked up, here a link to itself, may be
// one that is not replaced.
func TestUnreadOutput(t *testing.T) {
	dir, stream := t.TempDir(), filepath.Join(t.TempDir(), "a"+streamExt)
	succeed(t, "encode", photo, "-o", stream)
	for _, name := range []string{"loop.png", "loop.tar", "a.png"} {
		if err := os.Symlink(name, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	_, err := os.Stat(filepath.Join(dir, "loop.png"))
	_, reason, _ := strings.Cut(err.Error(), "loop.png")
	fail(t, process.Failed, []string{"loop.png" + reason}, "encode", photo, "-o", filepath.Join(dir, "loop.png"))
	fail(t, process.Failed, []string{"loop.tar" + reason}, "archive", "extract", archiveOf(t, "a"), "-o", filepath.Join(dir, "loop.tar"))
	if r := coclico(t, "decode", stream, "-o", dir); r.status != process.Failed || !strings.Contains(r.stderr, "a.png"+reason) {
		t.Errorf("status %d\n%s\n%s", r.status, r.stdout, r.stderr)
	}
	if _, err := os.Readlink(filepath.Join(dir, "a.png")); err != nil {
		t.Error(err)
	}
}
