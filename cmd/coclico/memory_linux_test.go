//go:build !race

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLittleMemory: a decode that the system refuses memory is one line, which
// says what needs less.
func TestLittleMemory(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.coclico")
	succeed(t, "encode", photo, "-o", file)
	for _, c := range []struct {
		flags []string
		says  string
	}{
		{nil, "a smaller --size or --low-memory needs less"},
		{[]string{"--low-memory"}, "a smaller --size needs less"},
	} {
		// The program starts in 1.5 GB of addresses, and this picture takes more than 3.
		args := append([]string{"-c", `ulimit -v 2200000; exec "$0" "$@"`, os.Args[0], "decode", file, "-o", filepath.Join(dir, "a.png"), "--size", "2048", "--steps", "1"}, c.flags...)
		cmd := exec.Command(sh, args...)
		cmd.Env = append(os.Environ(), childVar+"=1")
		out, err := cmd.CombinedOutput()
		if want := "coclico: " + file + ": not enough memory for 2048 x 2048 pixels: " + c.says + "\n"; err == nil || !strings.HasSuffix(string(out), want) || strings.Contains(string(out), "goroutine") {
			t.Errorf("%v: %v, %s", c.flags, err, out)
		}
		onlyFiles(t, dir, "a.coclico")
	}
}
