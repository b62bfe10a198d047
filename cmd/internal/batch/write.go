package batch

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/coclico/coclico/cmd/internal/files"
)

// On returns the store of a plan's files on a disk.
func (p *Plan) On(d files.Disk) Store { return folder{p, d} }

// A folder is the store of files.
type folder struct {
	plan *Plan
	disk files.Disk
}

func (f folder) Done(j Job) bool     { return f.plan.done(j) }
func (f folder) Foreign(j Job) error { return f.plan.foreign(j) }

func (f folder) Put(j Job, fill func(io.Writer) error) (int64, error) {
	return write(f.disk, f.plan.Out, j.Output, func(w io.Writer) error {
		if err := fill(w); err != nil {
			return err
		}
		// The result would be newer than an input that it was not made of.
		if j.changed().After(j.seen) {
			return errChanged
		}
		return nil
	})
}

var errChanged = errors.New("its source changed while it was worked on: the same command does it again")

// write makes a file in folder out, or below it, whole or not at all, and returns
// the number of its bytes. An error of the disk or of out, which the next file
// would meet too, is a [Fatal] one.
func write(d files.Disk, out, path string, fill func(io.Writer) error) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return 0, writeError(out, files.Named(path, err))
	}
	var c counter
	err := files.Replace(d, path, func(w io.Writer) error {
		c.w = w
		return fill(&c)
	})
	switch {
	case err == nil:
		return c.n, nil
	case errors.As(err, new(files.WriteError)):
		return 0, writeError(out, err)
	}
	return 0, files.Named(path, err)
}

// A counter counts the bytes that are written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// writeError decides whose error it is. A full disk fails every file, and so
// does an output folder that takes no other file either; if it takes one, the
// name is at fault: too long, of characters that the file system lacks, or a
// folder's.
func writeError(out string, err error) error {
	if errors.Is(err, files.ErrFull) || !errors.Is(err, files.ErrBusy) && files.Probe(out) != nil {
		return Fatal(err)
	}
	return err
}
