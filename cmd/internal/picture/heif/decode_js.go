package heif

import "image"

const errPage = UnavailableError("this page cannot decode; save it as JPEG first")

// Available returns an error: Decode decodes nothing in this program.
func Available() error { return errPage }

// Decode decodes nothing.
func Decode([]byte, *Header) (image.Image, error) { return nil, errPage }
