package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/internal/hook"
)

// TestPreviewFile: a viewer sees the color map before a network runs, then
// whole previews, and at last the picture. The output is the same without.
func TestPreviewFile(t *testing.T) {
	dir := t.TempDir()
	file, out, view := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png"), filepath.Join(dir, "view.PNG")
	succeed(t, "encode", photo, "-o", file)
	succeed(t, "decode", file, "-o", out)
	want := readFile(t, out)
	var seen [][]byte // different contents of the file
	ctx := hook.With(t.Context(), hook.Hook{Trace: func(name string, _ []float32) {
		if name != "latents" && name != "z_color" {
			return
		}
		if data := readFile(t, view); len(seen) == 0 || !bytes.Equal(data, seen[len(seen)-1]) {
			if img := decodePNG(t, data); img.Bounds() != image.Rect(0, 0, 16, 16) || !strings.Contains(string(data), "Generated picture: preview after step ") {
				t.Errorf("a preview of %v", img.Bounds())
			}
			seen = append(seen, data)
		}
	}})
	if r := coclicoIn(t, ctx, nil, "decode", file, "-o", out, "--preview", view); r.status != process.OK || r.stderr != "" {
		t.Fatalf("status %d, stderr %q", r.status, r.stderr)
	}
	if len(seen) == 0 || !strings.Contains(string(seen[0]), "after step 0 of 17") {
		t.Errorf("%d previews were seen", len(seen))
	}
	if !bytes.Equal(readFile(t, out), want) || !bytes.Equal(readFile(t, view), want) {
		t.Error("the picture is another with previews, or they do not end with it")
	}
	onlyFiles(t, dir, "a.coclico", "a.png", "view.PNG")
}

// TestPreviewPartial: an interrupted decode leaves its last preview, and with
// --keep-partial the picture that it keeps.
func TestPreviewPartial(t *testing.T) {
	dir := t.TempDir()
	file, out, view := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png"), filepath.Join(dir, "view.png")
	succeed(t, "encode", photo, "-o", file)
	decode := []string{"decode", file, "-o", out, "--preview", view}
	if r := coclicoIn(t, stopAfter(t, 9, "interrupt signal received"), nil, decode...); r.status != process.Interrupted || r.stderr != "coclico: interrupted\n" {
		t.Errorf("status %d, stderr %q", r.status, r.stderr)
	}
	if img := decodePNG(t, readFile(t, view)); img.Bounds() != image.Rect(0, 0, 16, 16) {
		t.Errorf("an interrupted decode leaves a picture of %v", img.Bounds())
	}
	onlyFiles(t, dir, "a.coclico", "view.png")
	if r := coclicoIn(t, stopAfter(t, 9, "interrupt signal received"), nil, append(decode, "--keep-partial")...); r.status != process.Interrupted {
		t.Errorf("status %d, stderr %q", r.status, r.stderr)
	}
	if !bytes.Equal(readFile(t, out), readFile(t, view)) {
		t.Error("the preview is not the picture that was kept")
	}
}

// TestNoPreviews: where previews cannot be shown, the picture is painted
// nevertheless, after one line that says so.
func TestNoPreviews(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png")
	succeed(t, "encode", photo, "-o", file)
	missing := filepath.Join(dir, "missing", "view.png")
	for place, says := range map[string]string{
		"terminal": "no previews: standard error is not a terminal", "kitty": "no previews: standard error is not a terminal", missing: "no previews: " + missing + ": no such file or directory",
	} {
		r := coclico(t, "decode", file, "-o", out, "--steps", "3", "--preview", place)
		if r.status != process.OK || r.stderr != "coclico: "+says+"\n" {
			t.Errorf("%s: status %d, stderr %q", place, r.status, r.stderr)
		}
		if err := os.Remove(out); err != nil {
			t.Error(err)
		}
	}
	for _, place := range []string{"window", "view.jpg", "Sixel", ""} {
		fail(t, process.Usage, []string{"--preview " + place + ": must be terminal, sixel, kitty, iterm2, blocks or the name of a .png file"}, "decode", file, "-o", out, "--preview", place)
	}
	fail(t, process.Usage, []string{"need a file of their own"}, "decode", file, "-o", out, "--preview", filepath.Join(dir, "missing", "..", "a.png"))
	t.Chdir(dir)
	fail(t, process.Usage, []string{"need a file of their own"}, "decode", file, "-o", "a.png", "--preview", out)
	if err := os.WriteFile(out, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.png")
	if err := os.Link(out, link); err == nil {
		fail(t, process.Usage, []string{"need a file of their own"}, "decode", file, "-o", out, "--preview", link)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decodePNG(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
