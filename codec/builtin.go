package codec

import (
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/mini"
)

// BuiltIn opens the folder of the model that is part of the program: a small one, trained on procedural landscapes, that
// paints pictures of 128 x 128 pixels.
func BuiltIn() (*weights.Folder, error) { return mini.Folder() }
