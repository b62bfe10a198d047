//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows

package archive

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLockFails: a file that cannot be locked is an error, and is not taken for
// one on a file system without locks.
func TestLockFails(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), lockName))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if held, err := lock(f); held || err == nil || err == ErrBusy {
		t.Errorf("a closed file: %v, %v", held, err)
	}
}
