package bench

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGoldenPrograms checks that golden/README.md has a row for every golden
// file of the module, with the program that makes it, and no row without files.
func TestGoldenPrograms(t *testing.T) {
	readme, err := os.ReadFile("golden/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+/[^`]+)` \\| ").FindAllSubmatch(readme, -1) {
		patterns = append(patterns, string(m[1]))
	}
	used := make([]bool, len(patterns))
	for _, file := range goldenFiles(t) {
		row := slices.IndexFunc(patterns, func(p string) bool {
			ok, err := path.Match(p, file)
			if err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			return ok
		})
		if row < 0 {
			t.Errorf("%s: not in bench/golden/README.md", file)
			continue
		}
		used[row] = true
	}
	for i, p := range patterns {
		if !used[i] {
			t.Errorf("bench/golden/README.md: no file matches %s", p)
		}
	}
}

// goldenFiles lists the files of the module's testdata folders and of folders
// named golden. Programs, notes and the corpora of fuzz tests are not golden.
func goldenFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "fuzz" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
				return fs.SkipDir
			}
			return nil
		}
		name = strings.TrimPrefix(filepath.ToSlash(name), "../")
		dirs := strings.Split(path.Dir(name), "/")
		switch path.Ext(name) {
		case ".go", ".py", ".js", ".mjs", ".sh", ".md", ".pyc":
			return nil
		}
		if slices.Contains(dirs, "testdata") || slices.Contains(dirs, "golden") && path.Base(name) != "requirements.txt" {
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("only %d golden files found: is this the whole module?", len(files))
	}
	return files
}
