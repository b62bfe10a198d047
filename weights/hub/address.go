package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// PullAddress downloads a file from outside the hub to path, whose folder it
// makes. f has the file's name for messages, its size and its SHA-256. What has
// come stays beside path after an error, and the next call resumes from there. A
// file of that size at path is taken to be it. progress, which may be nil, is
// called with the number of bytes that are there.
//
// Bytes with another hash are thrown away. No token is sent, unless the address
// is the endpoint's.
func (c *Client) PullAddress(ctx context.Context, address string, f File, path string, progress func(done int64)) error {
	whole := func() bool {
		info, err := os.Lstat(path)
		return err == nil && info.Mode().IsRegular() && info.Size() == f.Size
	}
	if whole() {
		return nil
	}
	if err := c.room(filepath.Dir(path), f.Size-f.part(path)); err != nil {
		return err
	}
	lock := path + ".lock"
	unlock, err := c.lockFile(ctx, lock, f.Path)
	if err != nil {
		return err
	}
	defer unlock()
	defer os.Remove(lock) // while it is held: see sameAs
	if whole() {
		return nil // by whom this one has waited for
	}
	t := &tally{progress: progress}
	d := &download{c: c, address: address, file: f, path: path + incomplete, advance: t.add}
	if err := d.all(ctx); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return os.Rename(d.path, path)
}
