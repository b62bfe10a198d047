package weights

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Reading a tensor brings its pages into the process. Release frees them, and
// so does the check for NaNs.
func TestReleaseShrinksTheProcess(t *testing.T) {
	const size = 64 << 20
	path := filepath.Join(t.TempDir(), "a.safetensors")
	err := WriteFile(path, func(w io.Writer) error {
		return WriteSafetensors(w, []Spec{{Name: "a", Shape: []int{size / 2}}}, func(_ int, w io.Writer) error {
			_, err := w.Write(make([]byte, size))
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	a := s.Scope().Tensor("a", size/2)
	before := rssFile(t)
	if !a.Finite() {
		t.Fatal("zeros are not finite")
	}
	if grown := rssFile(t) - before; grown < size/2 {
		t.Fatalf("reading %d bytes brought only %d in", size, grown)
	}
	a.Release()
	if left := rssFile(t) - before; left > size/8 {
		t.Errorf("after Release %d bytes of %d are left", left, size)
	}
	if err := s.CheckFinite(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := rssFile(t) - before; left > size/8 {
		t.Errorf("after CheckFinite %d bytes of %d are left", left, size)
	}
}

// rssFile returns the number of bytes of mapped files in the process's memory.
func rssFile(t *testing.T) int {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "RssFile:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Skip("the kernel does not say")
	return 0
}
