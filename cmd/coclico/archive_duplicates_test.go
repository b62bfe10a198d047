package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"github.com/coclico/coclico/cmd/internal/process"
)

// copiesFolder makes a folder of scenes and of copies: JPEG of quality 50 and
// half as large.
func copiesFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range sceneNames[:4] {
		f, err := os.Open(scenePath(name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		b := img.Bounds()
		half := image.NewRGBA(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
		draw.CatmullRom.Scale(half, half.Bounds(), img, b, draw.Src, nil)
		for end, img := range map[string]image.Image{".png": img, "_half.png": half, "_q50.jpg": img} {
			out, err := os.Create(filepath.Join(dir, name+end))
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(end) == ".jpg" {
				err = jpeg.Encode(out, img, &jpeg.Options{Quality: 50})
			} else {
				err = png.Encode(out, img)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestArchiveDuplicates: in either profile, copies of a picture are found, and
// other pictures are not.
func TestArchiveDuplicates(t *testing.T) {
	pictures := copiesFolder(t)
	var dir string
	for _, c := range []struct {
		profile        string
		within, copies int
	}{{"paper", 24, 8}, {"tuned", 64, 4}} {
		dir = filepath.Join(t.TempDir(), "A")
		succeed(t, "archive", "create", pictures, "-o", dir, "--profile", c.profile)
		out := succeed(t, "archive", "duplicates", dir)
		copies, last := 0, 0
		for line := range strings.Lines(out) {
			var d int
			var a, b string
			if n, err := fmt.Sscan(line, &d, &a, &b); n != 3 || d < last || d > c.within || a >= b {
				t.Errorf("%s: %q (%v)", c.profile, line, err)
			}
			last = d
			scene := filepath.Base(a)
			scene = strings.TrimSuffix(strings.TrimSuffix(scene, ".png"), "_half")
			if !strings.HasPrefix(filepath.Base(b), scene) {
				t.Errorf("%s: other pictures: %s", c.profile, line)
			}
			if strings.HasSuffix(a, scene+".png") {
				copies++
			}
		}
		if copies < c.copies {
			t.Errorf("%s: %d copies were found, want %d of 8:\n%s", c.profile, copies, c.copies, out)
		}
	}
	first, _, _ := strings.Cut(succeed(t, "archive", "duplicates", dir, "--json"), "\n")
	var p pairLine
	if err := json.Unmarshal([]byte(first), &p); err != nil || p.A.Name == "" || p.B.Name <= p.A.Name || p.A.Width == 0 || p.B.SourceBytes == 0 {
		t.Errorf("%s (%v)", first, err)
	}
	if all := succeed(t, "archive", "duplicates", dir, "--within", "768"); strings.Count(all, "\n") != 12*11/2 {
		t.Errorf("%d pairs of 12 pictures", strings.Count(all, "\n"))
	}
	if r := coclico(t, "archive", "duplicates", dir, "--within", "768", "--limit", "5"); r.status != process.OK || strings.Count(r.stdout, "\n") != 5 || !strings.Contains(r.stderr, "5 of 66 pairs are listed") {
		t.Errorf("at most 5: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	// Half of these are in the paper's profile.
	if out := succeed(t, "archive", "duplicates", sceneArchive(t), "--within", "768"); strings.Count(out, "\n") != 3+3 {
		t.Errorf("two profiles:\n%s", out)
	}
	succeed(t, "archive", "remove", dir, "*.jpg")
	if out := succeed(t, "archive", "duplicates", dir, "--within", "768"); strings.Contains(out, ".jpg") || strings.Count(out, "\n") != 8*7/2 {
		t.Errorf("after removing:\n%s", out)
	}
	fail(t, process.Usage, []string{"--within is 0"}, "archive", "duplicates", dir, "--within", "-1")
	fail(t, process.Usage, []string{"--limit is 1"}, "archive", "duplicates", dir, "--limit", "0")
	fail(t, process.Failed, []string{"no archive in this folder"}, "archive", "duplicates", t.TempDir())
}
