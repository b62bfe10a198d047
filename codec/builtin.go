package codec

import (
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/mini"
)

// BuiltIn opens the folder of the model that is part of the program: a small one, trained on procedural landscapes, that
// paints pictures of 128 x 128 pixels.
//
// A program that never calls it does not carry the model's 22 MB.
func BuiltIn() (*weights.Folder, error) { return mini.Folder() }

// builtInFile is the fingerprint in the files of the built-in model. A constant,
// for asking the model itself would link it into every program that decodes.
const builtInFile = 0x241
