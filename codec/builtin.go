package codec

import (
	"github.com/coclico/coclico/codec/synth"
	"github.com/coclico/coclico/weights"
)

// BuiltIn opens the folder of the model that is part of the program. For now
// its weights are synthetic, so that what it paints is noise in the picture's
// colours; its streams have the paper's 120 bytes.
func BuiltIn() (*weights.Folder, error) { return synth.Folder("tiny-768", 1) }
