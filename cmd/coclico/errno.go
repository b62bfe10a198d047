//go:build !plan9 && !windows

package main

import (
	"errors"
	"syscall"
)

// readOnly reports whether a file could not be written because nothing can be
// on its file system.
func readOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// circular reports whether a file could not be opened because it is a link that
// leads to itself: it has no bytes that could be a picture's.
func circular(err error) bool { return errors.Is(err, syscall.ELOOP) }
