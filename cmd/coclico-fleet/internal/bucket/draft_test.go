package bucket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
)

// TestTidy has drafts of killed writers, of one at work, and files that only have
// a similar name.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	draft := func(c string) string { return draftMark + strings.Repeat(c, draftRest) }
	for _, name := range []string{draft("A"), files.RoomDraft, "p/" + draft("B"), "p/q/" + draft("C"), "p/.coclico-mine", "p/busy/" + draft("D"), "other/" + draft("E"), "p/q/x"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("x"), 0o666), os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, "p", "busy", draft("D")), os.O_WRONLY, 0)
	if err == nil {
		err = files.Lock(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.OpenFile(f.Name(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if files.Lock(again) == nil {
		t.Skip("no locks")
	}
	again.Close()
	b.Tidy(t.Context(), "")
	b.Tidy(t.Context(), "p/")
	b.Tidy(t.Context(), "none/")
	want := []string{"other", "other/" + draft("E"), "p", "p/.coclico-mine", "p/busy", "p/busy/" + draft("D"), "p/q", "p/q/x"}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	f.Close()
	if err := errors.Join(b.Remove(t.Context(), "p/q/x"), b.Remove(t.Context(), "p/.coclico-mine")); err != nil {
		t.Fatal(err)
	}
	b.Tidy(t.Context(), "p/")
	if got := tree(t, dir); !slices.Equal(got, want[:2]) {
		t.Errorf("left %v, want %v", got, want[:2])
	}
}

// tree returns the names of all files and folders below a folder.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestTidyMeanwhile: what is being written is not removed, nor is the folder that
// it is to be in.
func TestTidyMeanwhile(t *testing.T) {
	b := open(t, t.TempDir())
	var group sync.WaitGroup
	defer group.Wait()
	stop := make(chan struct{})
	defer close(stop)
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				b.Tidy(t.Context(), "p/")
			}
		}
	})
	for range 100 {
		if err := b.Put(t.Context(), "p/q/x", []byte("x")); err != nil {
			t.Error(err)
		}
		if err := b.Remove(t.Context(), "p/q/x"); err != nil {
			t.Error(err)
		}
	}
}
