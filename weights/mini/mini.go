// Package mini is the built-in model: a small Stable unCLIP with 11 million
// weights, trained on procedural landscapes of 128 x 128 pixels. Its folder is
// like any other model's; nothing else knows that it is small.
//
// A program has the folder's files in mini.zip, which a test writes and compares
// with them.
//
// The programs that made it, their measurements and what was tried are in the
// folder train.
package mini

import (
	"archive/zip"
	_ "embed"
	"io/fs"
	"strings"
	"sync"

	"github.com/coclico/coclico/weights"
)

//go:embed mini.zip
var packed string

// A variable that is initialized with a use of packed would have the linker keep it
// in every program that imports this package.
var (
	once  sync.Once
	files fs.FS
)

// Folder opens the model. The weights of a part, 22 MB for all of them, are
// unpacked when the part is first used.
func Folder() (*weights.Folder, error) { return weights.FolderFS(Files(), "built-in model") }

// Files returns the model's files, for a program that is to open them elsewhere.
func Files() fs.FS {
	once.Do(func() {
		z, err := zip.NewReader(strings.NewReader(packed), int64(len(packed)))
		if err != nil {
			panic("mini: mini.zip: " + err.Error()) // not what was committed
		}
		z.RegisterDecompressor(float16, newJoiner)
		files = z
	})
	return files
}
