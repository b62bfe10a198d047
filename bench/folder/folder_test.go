package folder

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPictures: a folder's name is no pattern, and the ending of a picture has
// any case.
func TestPictures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "all [1]")
	if err := os.MkdirAll(filepath.Join(dir, "folder.png"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b.JPG", "a.png", "c.jpeg", "d.PNG", "._a.png", "e.svg", "f.log", "g"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := Pictures(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"a.png", "b.JPG", "c.jpeg", "d.PNG"} {
		want = append(want, filepath.Join(dir, name))
	}
	if !slices.Equal(paths, want) {
		t.Errorf("%q, want %q", paths, want)
	}
	for in, want := range map[string]string{"": "no folder", filepath.Join(dir, "folder.png"): "has no PNG or JPEG pictures", filepath.Join(dir, "none"): "none: no such file"} {
		if _, err := Pictures(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	if _, err := Read(paths[0]); err == nil || !strings.HasPrefix(err.Error(), paths[0]) {
		t.Errorf("an empty file: %v", err)
	}
}
