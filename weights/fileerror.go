package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A FileError is an error about a file that the user knows by name. It is one
// line, which begins with the name.
type FileError struct {
	File string
	Err  error
}

func (e *FileError) Error() string { return show(e.File) + ": " + e.Err.Error() }

func (e *FileError) Unwrap() error { return e.Err }

// NewFileError returns a [FileError] with the cause of err; see [Cause].
func NewFileError(file string, err error) error { return &FileError{file, Cause(err)} }

// Cause returns the reason alone from an error of the operating system, which
// repeats the operation and a name that may be temporary. Other errors are
// returned as they are.
func Cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

func fileErrorf(file, format string, args ...any) error {
	return &FileError{file, fmt.Errorf(format, args...)}
}
