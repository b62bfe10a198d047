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

var (
	stage    = regexp.MustCompile(`[├└] (\w+):`)
	function = regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?(\w+)\(`)
)

// TestArchitecture: the stages of the walks are functions of codec, and each room
// of bench and internal is in a list.
func TestArchitecture(t *testing.T) {
	root := filepath.Join("..", "..")
	data, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root, "codec", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range function.FindAllSubmatch(source, -1) {
			functions[string(m[1])] = true
		}
	}
	stages := stage.FindAllSubmatch(data, -1)
	if len(stages) < 5 {
		t.Errorf("%d stages", len(stages))
	}
	for _, m := range stages {
		if !functions[string(m[1])] {
			t.Errorf("ARCHITECTURE.md names %s, which is no function of codec", m[1])
		}
	}
	for _, parent := range []string{"bench", "internal"} {
		rooms, err := os.ReadDir(filepath.Join(root, parent))
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range rooms {
			if name := parent + "/" + room.Name(); room.IsDir() && !strings.Contains(string(data), "**"+name+"**") {
				t.Errorf("ARCHITECTURE.md does not say what is in %s", name)
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
