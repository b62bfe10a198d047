//go:build unix

package text

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFIFO: a FIFO in the place of a configuration is an error. Whoever opened it
// would wait forever.
func TestFIFO(t *testing.T) {
	dir := clip(t)
	name := filepath.Join(dir, configFile)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(name, 0o666); err != nil {
		t.Skip(err)
	}
	if _, err := Open(t.Context(), dir); err == nil || err.Error() != name+": is not a regular file" {
		t.Error(err)
	}
}
