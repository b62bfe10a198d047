package batch

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/coclico/coclico/cmd/coclico/internal/files"
)

// write makes a file in folder out, or below it, whole or not at all. An error
// of the disk or of out, which the next file would meet too, is a [Fatal] one.
func write(d files.Disk, out, path string, data io.WriterTo) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return writeError(out, files.Named(path, err))
	}
	err := files.Replace(d, path, func(w io.Writer) error {
		_, err := data.WriteTo(w)
		return err
	})
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(files.WriteError)):
		return writeError(out, err)
	}
	return files.Named(path, err)
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
