//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package archive

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other writers from f until it is closed, however this process ends.
// It returns ErrBusy if another process has the lock, and false on a file system
// without locks.
func lock(f *os.File) (held bool, err error) {
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, ErrBusy
	}
	return err == nil, nil
}

// syncFolder commits the names in a folder to the disk. A file system that syncs
// no folders is left to itself.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}
