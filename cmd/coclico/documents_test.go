package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// links finds the relative targets of links in a document, paths the files that
// it names by a path.
var (
	links = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	paths = regexp.MustCompile(`[A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]+)+\.(?:go|s|py|md)\b`)
)

// TestDocuments: the files that the documents link to and name exist.
func TestDocuments(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "codec/FORMAT.md"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			if !exists(filepath.Join(root, filepath.Dir(name), m[1])) {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			}
		}
		for _, path := range paths.FindAllString(links.ReplaceAllString(text, ""), -1) {
			if strings.HasPrefix(path, "/") {
				continue // an address, or somewhere on the machine
			}
			if !exists(filepath.Join(root, path)) && !exists(filepath.Join(root, "cmd", "coclico", path)) {
				t.Errorf("%s names %s, which does not exist", name, path)
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
