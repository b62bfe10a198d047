//go:build unix && !solaris && !illumos && !aix

package batch

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other runs from f until it is closed, however this one ends. A file system without locks goes without.
func lock(f *os.File) error {
	if errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK) {
		return errBusy
	}
	return nil
}

// finish gives the complete file its name while it is locked. What a quota or a server has against it, Sync says before.
func finish(f *os.File, part, path string) error {
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// discard removes the file while it is locked: afterwards it may be another run's.
func discard(_ *os.File, part string) { os.Remove(part) }

func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
