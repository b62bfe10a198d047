//go:build unix

package search

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCut: an index that somebody cuts while it is open ends searches with an
// error and not the program. When it is opened next, it is made again.
func TestCut(t *testing.T) {
	l := newLibrary(t, 64, 100, 2)
	s := l.open(t)
	path := filepath.Join(l.dir, Folder, indexFiles(t, l.dir)[0])
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	want := "index " + path + ": " + ErrUnreadable.Error()
	_, err := s.Search(t.Context(), Query{Vector: make([]float32, 64), K: 5})
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("search: %v, want %s", err, want)
	}
	_, err = s.Duplicates(t.Context(), DuplicateOptions{Within: 3})
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("duplicates: %v, want %s", err, want)
	}
	if hits, err := l.open(t).Search(t.Context(), Query{Vector: make([]float32, 64), K: 5}); len(hits) != 5 || err != nil {
		t.Errorf("%d hits when it is opened again (%v)", len(hits), err)
	}
}
