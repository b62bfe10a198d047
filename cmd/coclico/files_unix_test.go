//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/process"
)

// TestPipe: a named pipe is read like a file. A pipe without a process at its
// other end does not delay Ctrl-C.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	pipe := func(name string) string {
		path := filepath.Join(dir, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skip(err)
		}
		return path
	}
	for _, command := range [][]string{
		{"encode", pipe("a"), "-o", out}, {"decode", pipe("b"), "-o", out + ".png"}, {"info", pipe("c")}, {"encode", photo, "-o", pipe("e")},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		done := make(chan result, 1)
		go func() { done <- coclicoIn(t, ctx, nil, command...) }()
		select {
		case r := <-done:
			if r.status == process.OK {
				t.Errorf("%v: succeeded without the pipe's other end", command)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%v: is still waiting for the pipe's other end", command)
		}
		cancel()
	}
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	written := pipe("d")
	go os.WriteFile(written, data, 0o600)
	succeed(t, "encode", written, "-o", out)
	if got, err := os.ReadFile(out); err != nil || len(got) == 0 {
		t.Fatal(len(got), err)
	}
	succeed(t, "encode", photo, "-o", out+"2")
	if text := succeed(t, "compare", out, out+"2"); !strings.Contains(text, "cosine 1.0000") {
		t.Errorf("a pipe's picture: %s", text)
	}
}

// TestHomeIsFile: where the home folder is a file, as /dev/null is a service's,
// the user has decided nothing, and has no models or metrics.
func TestHomeIsFile(t *testing.T) {
	for _, name := range []string{catalog.ConfigVar, catalog.MetricsVar, catalog.TextVar, "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", "/dev/null")
	if r := coclico(t, "models"); r.status != process.OK || !strings.Contains(r.stdout, catalog.BuiltIn) {
		t.Errorf("models: %+v", r)
	}
	if r := coclico(t, "encode", photo, "-o", filepath.Join(t.TempDir(), "out")); r.status != process.OK {
		t.Errorf("encode: %+v", r)
	}
	set, err := metricSet(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	set.Close()
}
