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
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, ErrBusy
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, unix.ENOLCK):
			return false, nil
		}
		return err == nil, os.NewSyscallError("flock", err)
	}
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
