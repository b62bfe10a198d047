package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/internal/hook"
)

// stopAfter returns a context that ends with a signal's cause after so many
// steps of a decode.
func stopAfter(t *testing.T, steps int, cause string) context.Context {
	ctx, stop := context.WithCancelCause(t.Context())
	return hook.With(ctx, hook.Hook{Trace: func(name string, _ []float32) {
		if name != "latents" { // before the first step, and after each
			return
		}
		if steps--; steps < 0 {
			stop(errors.New(cause))
		}
	}})
}

// TestKeepPartial: with --keep-partial Ctrl-C leaves a picture, which records
// that it is unfinished, and the exit status of an interruption.
func TestKeepPartial(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png")
	succeed(t, "encode", photo, "-o", file)
	decode := []string{"decode", file, "-o", out, "--keep-partial"}
	r := coclicoIn(t, stopAfter(t, 9, "interrupt signal received"), nil, decode...)
	if want := "coclico: interrupted: " + out + " is the picture after step 9 of 17\n"; r.status != process.Interrupted || r.stderr != want {
		t.Errorf("status %d, stderr %q, want %q", r.status, r.stderr, want)
	}
	onlyFiles(t, dir, "a.coclico", "a.png")
	data, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(data), ", interrupted after step 9 of 17") {
		t.Errorf("the picture does not record what it is (%v)", err)
	}
	if img, err := png.Decode(bytes.NewReader(data)); err != nil || img.Bounds() != image.Rect(0, 0, 128, 128) {
		t.Errorf("the picture is broken (%v)", err)
	}
	r = coclicoIn(t, stopAfter(t, 9, "terminated signal received"), nil, append(decode, "--json")...)
	if r.status != process.Terminated || !strings.Contains(r.stdout, `"status":"failed"`) || !strings.Contains(r.stdout, "after step 9 of 17") {
		t.Errorf("status %d, stdout %q", r.status, r.stdout)
	}
	again := filepath.Join(dir, "again.png")
	for _, c := range []struct {
		name  string
		steps int
		args  []string
	}{
		{"before the first step", 0, append(decode[:3:3], again, "--keep-partial")},
		{"without --keep-partial", 9, append(decode[:3:3], again)},
	} {
		r := coclicoIn(t, stopAfter(t, c.steps, "interrupt signal received"), nil, c.args...)
		if r.status != process.Interrupted || r.stderr != "coclico: interrupted\n" {
			t.Errorf("%s: status %d, stderr %q", c.name, r.status, r.stderr)
		}
	}
	onlyFiles(t, dir, "a.coclico", "a.png")
	// A run of many files does not consider it done.
	many := filepath.Join(dir, "many")
	if err := os.Mkdir(many, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(out, filepath.Join(many, "a.png")); err != nil {
		t.Fatal(err)
	}
	if text := succeed(t, "decode", file, "-o", many, "--json"); !strings.Contains(text, `"status":"done"`) {
		t.Errorf("many files: %s", text)
	}
	if text := succeed(t, "decode", file, "-o", many, "--json"); !strings.Contains(text, `"status":"unchanged"`) {
		t.Errorf("many files again: %s", text)
	}
	fail(t, process.Usage, []string{"--keep-partial has no effect: it is for one file"}, "decode", file, "-o", many, "--keep-partial")
}
