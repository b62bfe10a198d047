//go:build unix

package text

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFIFO: a FIFO in the place of a file is an error. Whoever opened it would wait
// forever.
func TestFIFO(t *testing.T) {
	for _, file := range []string{configFile, weightsFile, "vocab.json", "merges.txt"} {
		dir := clip(t)
		name := filepath.Join(dir, file)
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mkfifo(name, 0o666); err != nil {
			t.Skip(err)
		}
		if _, err := Open(t.Context(), dir); err == nil || !strings.HasSuffix(err.Error(), file+": is not a regular file") {
			t.Error(err)
		}
	}
}
