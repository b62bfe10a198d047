package files

import (
	"errors"
	"syscall"
)

// isFull reports whether an error means that a disk is full.
func isFull(err error) bool {
	const diskFull = syscall.Errno(112) // ERROR_DISK_FULL
	return errors.Is(err, diskFull)
}
