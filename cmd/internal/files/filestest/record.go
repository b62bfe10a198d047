// Package filestest records what is done to a disk.
package filestest

import (
	"cmp"
	"path/filepath"
	"slices"
	"sync"

	"github.com/coclico/coclico/cmd/internal/files"
)

// A Recorder is the operating system's disk, which does everything that is
// asked of it and records it: "create NAME", "write NAME" (once however many
// there are), "sync NAME", "rename NAME to NAME", "sync folder NAME" and
// "discard NAME", without the names' folders.
type Recorder struct {
	Fail string // the operation that fails, as it is recorded
	Err  error  // how it fails; nil means in a way of its own

	mu  sync.Mutex
	ops []string
}

// Ops returns what was done so far.
func (r *Recorder) Ops() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ops)
}

// do records an operation and then does it, unless it is to fail.
func (r *Recorder) do(op string, f func() error) error {
	r.mu.Lock()
	if len(r.ops) == 0 || r.ops[len(r.ops)-1] != op {
		r.ops = append(r.ops, op)
	}
	r.mu.Unlock()
	if op == r.Fail {
		return cmp.Or[error](r.Err, failure(op))
	}
	return f()
}

type failure string

func (f failure) Error() string { return string(f) + " failed" }

// Create implements [files.Disk].
func (r *Recorder) Create(part string) (p files.Part, err error) {
	err = r.do("create "+filepath.Base(part), func() (err error) {
		p, err = files.OS{}.Create(part)
		return err
	})
	return &recordedPart{p, r, filepath.Base(part)}, err
}

// Rename implements [files.Disk].
func (r *Recorder) Rename(p files.Part, part, path string) error {
	return r.do("rename "+filepath.Base(part)+" to "+filepath.Base(path), func() error {
		return files.OS{}.Rename(p.(*recordedPart).Part, part, path)
	})
}

// SyncFolder implements [files.Disk].
func (r *Recorder) SyncFolder(dir string) error {
	return r.do("sync folder "+filepath.Base(dir), func() error { return files.OS{}.SyncFolder(dir) })
}

// Discard implements [files.Disk].
func (r *Recorder) Discard(p files.Part, part string) {
	_ = r.do("discard "+filepath.Base(part), func() error {
		files.OS{}.Discard(p.(*recordedPart).Part, part)
		return nil
	})
}

type recordedPart struct {
	files.Part
	r    *Recorder
	name string
}

func (p *recordedPart) Write(b []byte) (n int, err error) {
	err = p.r.do("write "+p.name, func() (err error) {
		n, err = p.Part.Write(b)
		return err
	})
	return n, err
}

func (p *recordedPart) Sync() error { return p.r.do("sync "+p.name, p.Part.Sync) }
