package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/coclico/coclico/weights"
)

// OS is the operating system's disk.
type OS struct{}

// Create implements [Disk].
func (OS) Create(part string) (Part, error) {
	// A link would have its target emptied, a pipe would wait for a reader.
	if info, err := os.Lstat(part); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is in the way: it is not a regular file", part)
	}
	const tries = 100 // a file system whose files change their identity has no end of them
	for range tries {
		f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		old := errors.Is(err, fs.ErrExist)
		if old { // of a run that was killed, or another process's
			f, err = os.OpenFile(part, os.O_WRONLY|noFollow, 0)
		}
		if old && errors.Is(err, fs.ErrNotExist) {
			continue // it was just removed
		}
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, err
		}
		// Whoever held the lock before may have renamed the file.
		mine, err1 := f.Stat()
		now, err2 := os.Stat(part)
		switch {
		case err1 != nil || err2 != nil || !os.SameFile(mine, now):
			f.Close()
		case old: // it may have another mode, or be another file's second name
			OS{}.Discard(f, part)
		default:
			return f, nil
		}
	}
	return nil, ErrBusy
}

// SyncFolder implements [Disk].
func (OS) SyncFolder(dir string) error { return weights.SyncFolder(dir) }
