//go:build unix

package bucket

import (
	"errors"
	"syscall"
)

// isTaken reports whether an error means that one object's name is a folder of
// another's.
func isTaken(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR)
}

// isLong reports whether an error means that a name is too long.
func isLong(err error) bool { return errors.Is(err, syscall.ENAMETOOLONG) }
