package weights

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrBusy means that another process is writing the file.
var ErrBusy = errors.New("is being written by another process")

// A Dir is where drafts are written: an [os.Root], or [Disk].
type Dir interface {
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Stat(name string) (fs.FileInfo, error)
	Lstat(name string) (fs.FileInfo, error)
	Chmod(name string, mode fs.FileMode) error
	Rename(from, to string) error
	Remove(name string) error
}

// Disk is the operating system's whole tree of files.
type Disk struct{}

// The methods of [Dir] are the functions of package os.
func (Disk) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}
func (Disk) Stat(name string) (fs.FileInfo, error)     { return os.Stat(name) }
func (Disk) Lstat(name string) (fs.FileInfo, error)    { return os.Lstat(name) }
func (Disk) Chmod(name string, mode fs.FileMode) error { return os.Chmod(name, mode) }
func (Disk) Rename(from, to string) error              { return os.Rename(from, to) }
func (Disk) Remove(name string) error                  { return os.Remove(name) }

// MaxFileName is the length of the longest name of a file in bytes, on file systems
// that count bytes.
const MaxFileName = 255

// DraftOf returns the name under which a file is written until it is complete.
// It is always the same one, so that the next run replaces the draft that a
// killed run left.
func DraftOf(path string) string {
	dir, base := filepath.Split(path)
	if len(base)+len("..part") > MaxFileName {
		base = fmt.Sprintf("%x", sha256.Sum256([]byte(base)))
	}
	return dir + "." + base + ".part"
}

// CreateDraft creates a draft, empty and locked, and replaces one that a killed
// run left. The error is [ErrBusy] if another process has it. Where there are no
// locks, that is not known, and the draft is replaced.
func CreateDraft(d Dir, draft string) (*os.File, error) { return createDraft(d, draft, true) }

// Lock keeps other processes from f until it is closed, however this one ends.
// It returns [ErrBusy] if another process has the lock. Some file systems have no
// locks, nor have Windows and Solaris: there it does nothing.
func Lock(f *os.File) error {
	_, err := lock(f)
	return err
}

// createDraft is CreateDraft, or returns [ErrBusy] for a draft that may be another
// process's, unless takeOver.
func createDraft(d Dir, draft string, takeOver bool) (*os.File, error) {
	// A link would have its target locked, a pipe would wait for a reader.
	if info, err := d.Lstat(draft); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is in the way: it is not a regular file", draft)
	}
	const tries = 100 // a file system whose files change their identity has no end of them
	for range tries {
		f, err := d.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		old := errors.Is(err, fs.ErrExist)
		if old { // of a run that was killed, or another process's
			f, err = d.OpenFile(draft, os.O_WRONLY|noFollow, 0)
		}
		if old && errors.Is(err, fs.ErrNotExist) {
			continue // it was just removed
		}
		if err != nil {
			return nil, err
		}
		held, err := lock(f)
		if err == nil && old && !held && !takeOver {
			err = ErrBusy
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		// Whoever held the lock before may have renamed the file.
		mine, err1 := f.Stat()
		now, err2 := d.Stat(draft)
		switch {
		case err1 != nil || err2 != nil || !os.SameFile(mine, now):
			f.Close()
		case old: // it may have another mode, or be another file's second name
			DiscardDraft(d, f, draft)
		default:
			return f, nil
		}
	}
	return nil, ErrBusy
}
