//go:build unix

package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLockedFolder: the error about a folder that cannot be read tells why.
func TestLockedFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("every folder can be read here")
	}
	locked := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(locked, 0); err != nil {
		t.Fatal(err)
	}
	_, err := New(nil, nil).Open(t.Context(), locked, 1)
	if !errors.Is(err, os.ErrPermission) || !strings.HasPrefix(err.Error(), locked+": ") {
		t.Error(err)
	}
	if _, err := New(nil, nil).Open(t.Context(), t.TempDir(), 1); err == nil || !strings.Contains(err.Error(), "is a directory, not a file") {
		t.Error(err)
	}
}
