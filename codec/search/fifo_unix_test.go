//go:build unix

package search

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFIFO: a FIFO in the place of an index, which may be a stranger's, is not
// the index. Whoever opened it would wait forever.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := unix.Mkfifo(path, 0o666); err != nil {
		t.Skip(err)
	}
	if _, err := openIndex(t.Context(), path, key{}, 64, 1); err != errStale {
		t.Error(err)
	}
}
