//go:build unix && !solaris && !illumos && !aix

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other processes from f until it is closed, however this one ends.
// A file system without locks has none.
func lock(f *os.File) error {
	if errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK) {
		return ErrBusy
	}
	return nil
}

// Rename implements [Disk].
func (OS) Rename(_ Part, part, path string) error {
	if err := keepMode(part, path); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// noFollow refuses a link that took the place of a part.
const noFollow = unix.O_NOFOLLOW

// keepMode gives part the mode of the file at path that it is about to replace.
func keepMode(part, path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return os.Chmod(part, info.Mode().Perm())
}

// Discard implements [Disk]. The part is removed while it is locked: afterwards
// it may be another process's.
func (OS) Discard(p Part, part string) {
	os.Remove(part)
	p.Close()
}

// isFull reports whether an error means that a disk or a quota is full.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
