package heif

import "image"

const errPage = UnsupportedError("this page cannot decode it; save it as JPEG first")

// Available returns an error: Decode decodes nothing in this program.
func Available() error { return errPage }

// Decode decodes nothing.
func Decode([]byte, *Header) (image.Image, error) { return nil, errPage }
