package hub

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLockFails: the error of a lock names the file that cannot be locked.
func TestLockFails(t *testing.T) {
	broken := errors.New("input/output error")
	defer func() { acquire = tryLock }()
	acquire = func(*os.File) (bool, error) { return false, broken }
	path := filepath.Join(t.TempDir(), "a.lock")
	if _, err := (&Client{}).lockFile(t.Context(), path, "a"); !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}
