package hub

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// acquire is a variable for tests.
var acquire = tryLock

// lockFile acquires the lock of a file, which the system releases if the
// process ends. name is the file that is locked, for the user.
func (c *Client) lockFile(ctx context.Context, path, name string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	for told := c.Waiting == nil; ; {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o664)
		if err != nil {
			return nil, err
		}
		locked, err := acquire(f)
		if err == nil && locked && sameAs(f, path) {
			return func() { f.Close() }, nil
		}
		f.Close()
		if err != nil {
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		if !told && !locked {
			c.Waiting(name)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// sameAs reports whether path still names the file f: some programs delete a
// lock file when they release it.
func sameAs(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
