// Package mini is the built-in model: a small Stable unCLIP with 11 million
// weights, trained on procedural landscapes of 128 x 128 pixels. Its folder is
// like any other model's; nothing else knows that it is small.
//
// The programs that made it, their measurements and what was tried are in the
// folder train.
package mini

import (
	"embed"
	"io/fs"

	"github.com/coclico/coclico/weights"
)

// The files of a model by their names. Everything else in this folder stays
// outside the program.
//
//go:embed model_index.json */config.json */preprocessor_config.json */scheduler_config.json
//go:embed */model.safetensors */diffusion_pytorch_model.safetensors
var files embed.FS

// Folder opens the model. The weights of a part, 22 MB for all of them, are
// copied out of the program when the part is first used.
func Folder() (*weights.Folder, error) { return weights.FolderFS(files, "built-in model") }

// Files returns the model's files, for a program that is to open them elsewhere.
func Files() fs.FS { return files }
