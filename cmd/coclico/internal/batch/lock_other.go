//go:build !unix || solaris || illumos || aix

package batch

import (
	"errors"
	"os"
	"syscall"
)

func lock(*os.File) error { return nil }

// finish gives the complete file its name. Windows renames no open file.
func finish(f *os.File, part, path string) error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// discard removes the file. Windows removes no open one.
func discard(f *os.File, part string) {
	f.Close()
	os.Remove(part)
}

func isFull(err error) bool {
	const diskFull = syscall.Errno(112) // Windows: ERROR_DISK_FULL
	return errors.Is(err, diskFull)
}
