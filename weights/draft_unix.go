//go:build unix && !solaris && !illumos && !aix

package weights

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lock is a variable for tests.
var lock = flock

// flock locks a file, and reports whether the file system has locks.
func flock(f *os.File) (held bool, err error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, ErrBusy
		}
		return err == nil, nil
	}
}

// noFollow refuses a link that took the place of a draft.
const noFollow = syscall.O_NOFOLLOW

// RenameDraft gives a complete draft its name, and the mode of the file that it
// replaces. The draft stays open and locked unless the system cannot rename open
// files.
func RenameDraft(d Dir, _ *os.File, draft, path string) error {
	if info, err := d.Stat(path); err == nil && info.Mode().IsRegular() {
		if err := d.Chmod(draft, info.Mode()&fs.ModePerm); err != nil {
			return err
		}
	}
	return d.Rename(draft, path)
}

// DiscardDraft closes and removes a draft. It is removed while it is locked:
// afterwards it may be another process's.
func DiscardDraft(d Dir, f *os.File, draft string) {
	_ = d.Remove(draft)
	f.Close()
}
