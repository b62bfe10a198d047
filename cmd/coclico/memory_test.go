package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoMemory: a picture that takes more memory than is left is refused by name,
// alone and among others, which are encoded.
func TestNoMemory(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.png")
	f, err := os.Create(large)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewPaletted(image.Rect(0, 0, 5000, 5000), color.Palette{color.Black, color.White})); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), childVar+"=1", "GOMEMLIMIT=64MiB")
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%v succeeds", args)
		}
		return string(out)
	}
	refusal := large + ": a picture of 5000 x 5000 pixels that takes 96 MiB of memory to encode: 64 MiB are left here, scale it down first\n"
	if got := run("encode", large, "-o", filepath.Join(dir, "large.coclico")); got != "coclico: "+refusal {
		t.Errorf("alone: %s", got)
	}
	out := filepath.Join(dir, "out")
	if got := run("encode", large, photo, "-o", out); !strings.Contains(got, refusal) || !strings.Contains(got, "1 encoded") {
		t.Errorf("with another: %s", got)
	}
	onlyFiles(t, out, filepath.Base(photo)+streamExt)
}
