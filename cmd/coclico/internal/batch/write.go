package batch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// write makes a file in folder out, or below it, whole or not at all. An error of the disk or of out, which the next file
// would meet too, is a [Fatal] one.
func write(out, path string, data io.WriterTo) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return writeError(out, path, err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return named(path, errors.New("is a directory, a file is to be written there"))
	}
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	f, err := openPart(part)
	if err != nil {
		return writeError(out, path, err)
	}
	defer f.Close() // what it could say, finish has heard
	if _, err = data.WriteTo(f); err == nil {
		err = finish(f, part, path)
	}
	if err != nil {
		discard(f, part)
		return writeError(out, path, err)
	}
	return nil
}

// openPart opens the file for what is not yet complete, empty and locked.
func openPart(part string) (*os.File, error) {
	// A link would have what it leads to emptied, a pipe would wait for a reader.
	if info, err := os.Lstat(part); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is in the way: it is no file", part)
	}
	for {
		f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, err
		}
		// Whoever held the lock before may have renamed the file.
		mine, err1 := f.Stat()
		there, err2 := os.Stat(part)
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			return f, f.Truncate(0)
		}
		f.Close()
	}
}

// errBusy says that another process writes the file.
var errBusy = errors.New("is being written by another run at this moment")

// writeError names the result. A full disk is wrong for all, and so is an output folder that takes no other file either;
// where it does, it is the name: too long, of characters that the file system has not, or a folder's.
func writeError(out, path string, err error) error {
	if isFull(err) {
		return Fatal(named(path, errors.New("no space left on the device")))
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		err = l.Err
	}
	if !errors.Is(err, errBusy) && Probe(out) != nil {
		return Fatal(named(path, err))
	}
	return named(path, err)
}

// Probe creates the output folder and a file in it, so that a folder that cannot be written is known before the work.
func Probe(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return named(dir, errors.New("is a file, a folder is needed for the results"))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return named(dir, err)
	}
	f, err := os.CreateTemp(dir, ".coclico-*")
	if err != nil {
		return named(dir, err)
	}
	f.Close()
	return os.Remove(f.Name())
}
