//go:build !unix

package guard

import "io/fs"

// private returns nil: the mode of a file does not say who can read it here.
func private(string, fs.FileMode) error { return nil }
