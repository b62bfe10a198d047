//go:build unix

package files_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/files"
)

// TestReplaceMode: a replaced file keeps its mode, and what a killed run left
// gives its own to no other.
func TestReplaceMode(t *testing.T) {
	dir := t.TempDir()
	put := func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }
	private, fresh, linked, victim := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c"), filepath.Join(dir, "victim")
	for name, mode := range map[string]os.FileMode{private: 0o600, filepath.Join(dir, ".b.part"): 0o777, victim: 0o644} {
		if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(victim, filepath.Join(dir, ".c.part")); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{private, fresh, linked} {
		if err := files.Replace(files.OS{}, name, put); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(name); string(data) != "new" {
			t.Errorf("%s holds %q (%v)", name, data, err)
		}
	}
	for name, execute := range map[string]bool{private: false, fresh: false} {
		info, err := os.Stat(name)
		if err != nil || info.Mode()&0o111 != 0 != execute || name == private && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", name, info.Mode(), err)
		}
	}
	if data, err := os.ReadFile(victim); string(data) != "old" {
		t.Errorf("another file under the part's name holds %q (%v)", data, err)
	}
}

// TestDanglingLink: a link to nothing is an error, not replaced.
func TestDanglingLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Skip(err)
	}
	err := files.New(nil, nil).Write(t.Context(), link, func(io.Writer) error { t.Error("written"); return nil })
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error %v", err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone (%v)", err)
	}
}
