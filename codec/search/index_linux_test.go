package search

import (
	"os"
	"path/filepath"
	"testing"
)

// TestUnreadable: an index that the disk fails to read is made again. A file of
// the kernel's, which is shorter than its size, stands for it.
func TestUnreadable(t *testing.T) {
	const bad = "/sys/kernel/mm/transparent_hugepage/enabled"
	if info, err := os.Stat(bad); err != nil || info.Size() < headerBytes {
		t.Skip("no such file")
	}
	if _, err := openIndex(t.Context(), bad, key{}, 64, 1); err != errStale {
		t.Error(err)
	}
	l := newLibrary(t, 64, 100, 2)
	a := l.reader(t)
	dir := filepath.Join(l.dir, Folder)
	open := func() error {
		s, err := Open(t.Context(), a, l.prior, Options{Dir: dir})
		if err != nil {
			return err
		}
		return s.Close()
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, indexFiles(t, l.dir)[0])
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bad, path); err != nil {
		t.Fatal(err)
	}
	if err := open(); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		t.Errorf("not made again (%v)", err)
	}
	// One that cannot even be opened is named.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, path); err != nil {
		t.Fatal(err)
	}
	if err, want := open(), "index "+path+": too many levels of symbolic links; if it is deleted, it is made again"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
