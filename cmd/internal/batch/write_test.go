package batch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestNames: a name that the file system refuses costs its own file alone.
func TestNames(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt", "b.txt", "c.txt", "d.txt")
	tree(t, out, "sub")
	r := upper(out)
	planOf(r).Name = func(name string) string {
		switch name {
		case "a.txt":
			return "a\x00a"
		case "b.txt":
			return "sub/b"
		}
		return name + ".up"
	}
	s, err := r.Run(t.Context(), Each(jobsOf(t, r, in+"/.")))
	if err != nil || s.Done != 2 || len(s.Failed) != 2 || !strings.HasPrefix(s.Failed[1].Err.Error(), filepath.Join(out, "sub", "b")+": ") {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestLongNames: inputs whose names leave no room for a result's ending are done,
// each under a name of its own, and known again.
func TestLongNames(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	var long []string
	for n := 248; n <= 255; n++ {
		long = append(long, strings.Repeat("n", n-4)+".txt")
	}
	tree(t, in, long...)
	r := upper(out)
	jobs := jobsOf(t, r, in+"/.")
	if s, err := r.Run(t.Context(), Each(jobs)); err != nil || s.Done != len(long) {
		t.Fatalf("%+v, %v", s, err)
	}
	if got := names(t, out); len(got) != len(long) {
		t.Errorf("%d results, want %d", len(got), len(long))
	}
	newer(t, out)
	if s, err := r.Run(t.Context(), Each(jobs)); err != nil || s.Unchanged != len(long) {
		t.Errorf("again: %+v, %v", s, err)
	}
}

// TestForeign: what is not a result is overwritten with Force only, unless it is
// empty.
func TestForeign(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt", "b.txt")
	tree(t, out, "a.txt.up", "b.txt.up")
	if err := os.Truncate(filepath.Join(out, "b.txt.up"), 0); err != nil {
		t.Fatal(err)
	}
	r := upper(out)
	planOf(r).Ours = func(string) bool { return false }
	jobs := jobsOf(t, r, in+"/.")
	s, err := r.Run(t.Context(), Each(jobs))
	if err != nil || s.Done != 1 || len(s.Failed) != 1 || !strings.Contains(s.Failed[0].Err.Error(), "a.txt.up: exists") {
		t.Errorf("%+v, %v", s, err)
	}
	if data, err := os.ReadFile(filepath.Join(out, "a.txt.up")); err != nil || string(data) != "a.txt.up" {
		t.Errorf("%q, %v", data, err)
	}
	r.Force = true
	if s, err := r.Run(t.Context(), Each(jobs)); err != nil || s.Done != 2 {
		t.Errorf("by force: %+v, %v", s, err)
	}
}

// TestPartIsLink: a link under a part's name does not have its target emptied.
func TestPartIsLink(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt", "b.txt", "precious")
	precious := filepath.Join(in, "precious")
	if err := os.Symlink(precious, filepath.Join(out, ".a.txt.up.part")); err != nil {
		t.Skip(err)
	}
	r := upper(out)
	s, err := r.Run(t.Context(), Each(jobsOf(t, r, in+"/.")))
	if err != nil || s.Done != 1 || len(s.Failed) != 1 || !strings.Contains(s.Failed[0].Err.Error(), ".a.txt.up.part is in the way") {
		t.Errorf("%+v, %v", s, err)
	}
	if data, err := os.ReadFile(precious); err != nil || string(data) != "precious" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestLockedFolder: a folder that cannot be read is a failure, and the files
// beside it are done.
func TestLockedFolder(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("every folder can be read here")
	}
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt", "locked/b.txt")
	locked := filepath.Join(in, "locked")
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(locked, 0o777)
	r := upper(out)
	s, err := r.Run(t.Context(), Each(jobsOf(t, r, in+"/.")))
	if err != nil || s.Done != 1 || len(s.Failed) != 1 || s.Failed[0].Input != locked || !errors.Is(s.Failed[0].Err, fs.ErrPermission) {
		t.Errorf("%+v, %v", s, err)
	}
}
