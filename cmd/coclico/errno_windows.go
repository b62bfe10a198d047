package main

import (
	"errors"
	"syscall"
)

// readOnly reports whether a file could not be written because nothing can be
// on its file system.
func readOnly(err error) bool {
	const writeProtect = syscall.Errno(19) // ERROR_WRITE_PROTECT
	return errors.Is(err, writeProtect)
}

// circular reports whether a file could not be opened because it is a link that
// leads to itself: it has no bytes that could be a picture's. Windows has an error
// of its own for that. ELOOP is a number that Go has invented there, and that it
// uses itself.
func circular(err error) bool {
	const cannotResolve = syscall.Errno(1921) // ERROR_CANT_RESOLVE_FILENAME
	return errors.Is(err, cannotResolve) || errors.Is(err, syscall.ELOOP)
}
