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

// NewFileError returns a [FileError]. If err is one of the operating system's,
// which repeats the operation and a name that may be temporary, only its cause
// is kept.
func NewFileError(file string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return &FileError{file, err}
}

func fileErrorf(file, format string, args ...any) error {
	return &FileError{file, fmt.Errorf(format, args...)}
}
