//go:build !plan9

package main

import (
	"errors"
	"syscall"
)

// readOnly reports whether a file could not be written because nothing can be
// on its file system.
func readOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
