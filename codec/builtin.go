package codec

import "github.com/coclico/coclico/weights/mini"

// BuiltIn returns the codec of the model that is part of the program: a small
// one, trained on procedural landscapes, that paints 128 x 128 pixels.
//
// A program that never calls BuiltIn does not link the model's 18 MB.
func BuiltIn() (*Codec, error) {
	folder, err := mini.Folder()
	if err != nil {
		return nil, err
	}
	return New(folder), nil
}

// builtInID is the built-in model's ID.
const builtInID ModelID = 0x241
