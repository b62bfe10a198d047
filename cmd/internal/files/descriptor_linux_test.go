package files_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/coclico/coclico/cmd/internal/files"
)

// TestDescriptor: what a shell has opened is written to where it stands, and never
// replaced.
func TestDescriptor(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(log, []byte("precious "), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fmt.Sprintf("/dev/fd/%d", f.Fd()), link); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	disk := files.New(nil, &out)
	for path, s := range map[string]string{
		fmt.Sprintf("/dev/fd/%d", f.Fd()): "a", fmt.Sprintf("/proc/self/fd/%d", f.Fd()): "a", link: "a",
		fmt.Sprintf("/dev/fd/%d", w.Fd()): "pipe", "/dev/stdout": "out",
	} {
		if err := disk.Write(t.Context(), path, text(s)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	w.Close()
	if data, err := os.ReadFile(log); err != nil || string(data) != "precious aaa" {
		t.Errorf("the file has %q, %v", data, err)
	}
	buf := make([]byte, 99)
	if n, err := r.Read(buf); err != nil || string(buf[:n]) != "pipe" || out.String() != "out" {
		t.Errorf("the pipe has %q, %v, and standard output %q", buf[:n], err, &out)
	}
	for _, path := range []string{"/dev/fd/999", "/dev/fd/x"} {
		if disk.Write(t.Context(), path, text("")) == nil {
			t.Errorf("%s was written", path)
		}
	}
	disk.Terminal = true
	if disk.Write(t.Context(), "/dev/stdout", text("")) == nil {
		t.Error("a terminal was sent a file")
	}
}
