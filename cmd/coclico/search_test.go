package main

import (
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/search"
)

var sceneNames = []string{"canyon", "forest", "night_moon", "river", "sea_dusk", "skyline"}

func scenePath(name string) string {
	return filepath.Join("..", "..", "weights", "mini", "testdata", "scenes", name+".png")
}

// sceneArchive makes an archive of the built-in model's test scenes, half of
// them in the paper's profile, and returns its folder.
func sceneArchive(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "A")
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: builtInFingerprint(t)}})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range sceneNames {
		out := filepath.Join(t.TempDir(), name+streamExt)
		succeed(t, "encode", scenePath(name), "-o", out, "--profile", []string{"tuned", "paper"}[i%2])
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(&archive.Row{Name: name + ".png", Data: data, Width: 128, Height: 128}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Add(&archive.Row{Name: "broken.png", Error: "unexpected EOF"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// builtInFingerprint returns a fingerprint that begins as the built-in model's.
func builtInFingerprint(t *testing.T) string {
	t.Helper()
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id, err := c.ModelID()
	if err != nil {
		t.Fatal(err)
	}
	const digits = "0123456789abcdef"
	print := uint32(id) << (32 - format.FingerprintBits)
	text := ""
	for shift := 28; shift >= 0; shift -= 4 {
		text += string(digits[print>>shift&15])
	}
	return text
}

// TestSearch finds scenes by themselves, by their files, names and words.
func TestSearch(t *testing.T) {
	dir := sceneArchive(t)
	first := func(args ...string) string {
		t.Helper()
		line, _, _ := strings.Cut(succeed(t, append([]string{"search", dir}, args...)...), "\n")
		return line
	}
	for i, name := range sceneNames {
		if line := first("--picture", scenePath(name)); !strings.HasSuffix(line, "  "+name+".png") {
			t.Errorf("%s: found %q", name, line)
		}
		// The skyline is one at night, and is found after the moon.
		if out := succeed(t, "search", dir, "--text", "A picture of a "+strings.ReplaceAll(name, "_", " "), "-k", "2"); !strings.Contains(out, "  "+name+".png\n") {
			t.Errorf("by words, %s: found\n%s", name, out)
		}
		file := filepath.Join(t.TempDir(), "q"+streamExt)
		succeed(t, "encode", scenePath(name), "-o", file, "--profile", []string{"tuned", "paper"}[i%2])
		if line := first("--file", file); !strings.HasPrefix(line, " 1.000 ") || !strings.HasSuffix(line, "  "+name+".png") {
			t.Errorf("by its file, %s: found %q", name, line)
		}
		if out := succeed(t, "search", dir, "--near", name+".png"); strings.Contains(out, name+".png") || strings.Count(out, "\n") != len(sceneNames)-1 {
			t.Errorf("near %s:\n%s", name, out)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(dir, search.Folder)); err != nil || len(entries) != 1 {
		t.Errorf("%d indexes (%v)", len(entries), err)
	}
	if out := succeed(t, "search", dir, "--picture", scenePath("forest"), "--min", "0.8"); strings.Count(out, "\n") != 1 {
		t.Errorf("at least 0.8:\n%s", out)
	}
	var hit hitLine
	line := first("--picture", scenePath("forest"), "--json")
	if err := json.Unmarshal([]byte(line), &hit); err != nil || hit.Name != "forest.png" || hit.Score < 0.8 || hit.Score > 1 || hit.Width != 128 {
		t.Errorf("%s (%v)", line, err)
	}
}

// TestSearchScale: scores by a file are as large as those by its picture.
func TestSearchScale(t *testing.T) {
	dir := sceneArchive(t)
	scores := func(args ...string) map[string]float64 {
		found := map[string]float64{}
		for line := range strings.Lines(succeed(t, append([]string{"search", dir, "--json"}, args...)...)) {
			var hit hitLine
			if err := json.Unmarshal([]byte(line), &hit); err != nil {
				t.Fatal(err)
			}
			found[hit.Name] = hit.Score
		}
		return found
	}
	byPicture, byFile := 0.0, 0.0
	for _, name := range sceneNames {
		files := scores("--near", name+".png")
		for other, score := range scores("--picture", scenePath(name)) {
			if other != name+".png" {
				byPicture += math.Abs(score)
				byFile += math.Abs(files[other])
			}
		}
	}
	if ratio := byFile / byPicture; ratio < 0.9 || ratio > 1.1 {
		t.Errorf("scores by files are %.2f times those by pictures", ratio)
	} else {
		t.Logf("ratio %.3f", ratio)
	}
}

// TestSearchSheet writes sheets of color maps and of painted pictures.
func TestSearchSheet(t *testing.T) {
	dir := sceneArchive(t)
	for _, more := range [][]string{nil, {"--paint"}} {
		sheet := filepath.Join(t.TempDir(), "sheet.png")
		succeed(t, append([]string{"search", dir, "--text", "forest", "-k", "3", "--sheet", sheet}, more...)...)
		f, err := os.Open(sheet)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != 2*136+8 || b.Dy() != 2*136+8 {
			t.Errorf("%v: %v", more, b)
		}
		white := 0
		for _, at := range [][2]int{{72, 72}, {208, 72}, {72, 208}, {208, 208}} {
			if r, g, b, _ := img.At(at[0], at[1]).RGBA(); r+g+b == 3*0xffff {
				white++
			}
		}
		if white != 1 {
			t.Errorf("%v: %d tiles of 4 are empty, want 1", more, white)
		}
	}
}

func TestSearchErrors(t *testing.T) {
	dir := sceneArchive(t)
	empty := t.TempDir()
	for _, c := range []struct {
		status int
		what   []string
		args   []string
	}{
		{process.Failed, []string{"no archive in this folder"}, []string{empty, "--text", "forest"}},
		{process.Failed, []string{`does not know "cat"`, "forest", "waterfall"}, []string{dir, "--text", "a cat"}},
		{process.Failed, []string{"nonesuch.png", "no such name"}, []string{dir, "--near", "nonesuch.png"}},
		{process.Failed, []string{"broken.png", "could not be read: unexpected EOF"}, []string{dir, "--near", "broken.png"}},
		{process.Failed, []string{"scenes"}, []string{dir, "--picture", filepath.Dir(scenePath("forest"))}},
		{process.Usage, []string{"one of --picture"}, []string{dir}},
		{process.Usage, []string{"one of --picture"}, []string{dir, "--text", "forest", "--near", "x"}},
		{process.Usage, []string{"--near is empty"}, []string{dir, "--near", ""}},
		{process.Usage, []string{"--picture is empty"}, []string{dir, "--picture="}},
		{process.Usage, []string{"-k is 1 to"}, []string{dir, "--text", "forest", "-k", "0"}},
		{process.Usage, []string{"--paint needs --sheet"}, []string{dir, "--text", "forest", "--paint"}},
		{process.Usage, []string{"--sheet - and the hits cannot share"}, []string{dir, "--text", "forest", "--sheet", "-"}},
	} {
		fail(t, c.status, c.what, append([]string{"search"}, c.args...)...)
	}
}
