// Package mini is the built-in model: a small Stable unCLIP, 11 million weights, trained on procedural landscapes of
// 128 x 128 pixels. Its folder is like any other model's; nothing else knows that it is small.
//
// The programs that made it, what they measured and what was tried are in train.
package mini

import (
	"embed"

	"github.com/coclico/coclico/weights"
)

// The parts by name: what else lies in this directory is no part of the model.
//
//go:embed model_index.json feature_extractor image_encoder image_noising_scheduler image_normalizer scheduler text_encoder unet vae
var files embed.FS

// Folder opens the model. A part's weights are copied out of the program when it is first used, 22 MB in all.
func Folder() (*weights.Folder, error) { return weights.FolderFS(files, "built-in model") }
