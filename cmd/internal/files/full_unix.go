//go:build unix && !solaris && !illumos && !aix

package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

// isFull reports whether an error means that a disk or a quota is full.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
