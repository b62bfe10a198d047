package archive

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock keeps other writers from f until it is closed, however this process ends.
// It returns ErrBusy if another process has the lock, and false on a file system
// without locks.
func lock(f *os.File) (held bool, err error) {
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return false, ErrBusy
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, windows.ERROR_INVALID_FUNCTION):
		return false, nil
	}
	return err == nil, os.NewSyscallError("LockFileEx", err)
}

// syncFolder does nothing: Windows syncs no folders.
func syncFolder(string) error { return nil }
