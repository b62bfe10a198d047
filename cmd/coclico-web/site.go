package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/cmd/internal/page"
	"github.com/coclico/coclico/weights/mini"
)

// The files that the site adds to those of the page.
const (
	listFile    = "site.json"
	programFile = "codec.wasm"
	runtimeFile = "wasm_exec.js" // Go's
	modelDir    = "model"
)

// A list is the content of site.json: what the workers load.
type list struct {
	Version string           `json:"version"` // changes with any file
	Runtime string           `json:"runtime"`
	Program entry            `json:"program"`
	Model   map[string]entry `json:"model"` // by the names that package weights knows
	Shell   []string         `json:"shell"` // what the service worker keeps
}

type entry struct {
	Path   string `json:"path"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func newEntry(name string, data []byte) entry {
	return entry{name, len(data), fmt.Sprintf("%x", sha256.Sum256(data))}
}

// site returns the site's files by their names.
func site() (map[string][]byte, error) {
	files := map[string][]byte{}
	if err := add(files, page.Files, ""); err != nil {
		return nil, err
	}
	var shell []string
	for name := range files {
		if name != "sw.js" { // which the browser keeps itself
			shell = append(shell, name)
		}
	}
	if err := add(files, mini.Files(), modelDir); err != nil {
		return nil, err
	}
	var err error
	if files[programFile], err = program(); err != nil {
		return nil, err
	}
	if files[runtimeFile], err = runtime(); err != nil {
		return nil, err
	}
	l := list{
		Version: version(files), Runtime: runtimeFile,
		Program: newEntry(programFile, files[programFile]), Model: map[string]entry{},
		Shell: append(shell, "./", listFile, runtimeFile),
	}
	slices.Sort(l.Shell)
	for name, data := range files {
		if part, ok := strings.CutPrefix(name, modelDir+"/"); ok {
			l.Model[part] = newEntry(name, data)
		}
	}
	files[listFile], err = json.Marshal(l)
	return files, err
}

// add reads the files of a file system into files, below dir.
func add(files map[string][]byte, fsys fs.FS, dir string) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path.Join(dir, name)], err = fs.ReadFile(fsys, name)
		return err
	})
}

// program compiles package codec for the browser.
func program() ([]byte, error) {
	temp, err := os.MkdirTemp("", "coclico-web")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	output := filepath.Join(temp, programFile)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", output, "github.com/coclico/coclico/cmd/coclico-web/wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %v\n%s", err, out)
	}
	return os.ReadFile(output)
}

// runtime returns the script that Go's programs need in a browser. It belongs
// to the version of Go that compiles them.
func runtime() ([]byte, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %v", err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", runtimeFile))
}

// version is the name of the browser's cache.
func version(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s %d\n", name, len(files[name]))
		h.Write(files[name])
	}
	return fmt.Sprintf("coclico-%x", h.Sum(nil)[:8])
}

func write(dir string, files map[string][]byte) error {
	for name, data := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// sizes returns the bytes of all files, and what a host that compresses them
// with gzip sends.
func sizes(files map[string][]byte) (plain, packed int) {
	for _, data := range files {
		plain += len(data)
		packed += min(len(gzipped(data)), len(data))
	}
	return plain, packed
}
