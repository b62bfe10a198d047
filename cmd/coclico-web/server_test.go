package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// programs is the folder of the command, which is built once.
var programs = sync.OnceValues(func() (dir string, err error) {
	if programDir, err = os.MkdirTemp("", "coclico"); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(programDir, "coclico"), "../coclico")
	cmd.Stderr = os.Stderr
	return programDir, cmd.Run()
})

var programDir string // which TestMain removes

// coclico returns a run of the command.
func coclico(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(filepath.Join(dir, "coclico"), args...)
}

// serve starts a server with some flags and returns its address.
func serve(t *testing.T, flags ...string) string {
	t.Helper()
	cmd := coclico(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "off"}, flags...)...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var line struct{ URL string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.URL != "" {
				address <- line.URL
			}
		}
	}()
	url, ok := <-address
	if !ok {
		t.Fatal("the server has stopped")
	}
	return url
}

// painted holds what paint has painted: two tests ask for the same, and the
// generic kernels are slow.
var painted = map[string]image.Image{}

// paint returns what the command paints from a file with some kernels, "" for
// those of this machine, and steps.
func paint(t *testing.T, file []byte, kernels string, steps int) image.Image {
	t.Helper()
	key := fmt.Sprintf("%x %s %d", file, kernels, steps)
	if img := painted[key]; img != nil {
		return img
	}
	dir := t.TempDir()
	input, output := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png")
	if err := os.WriteFile(input, file, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := coclico(t, "decode", input, "-o", output, "--steps", fmt.Sprint(steps))
	cmd.Env = append(os.Environ(), "COCLICO_KERNELS="+kernels)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	painted[key] = decodePNG(t, readFile(t, output))
	return painted[key]
}

// archive makes an archive of the scenes that the built-in model knows.
func archive(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "A")
	if out, err := coclico(t, "archive", "create", scenes, "-o", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}
