package weights

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// WriteFile creates or replaces a file of a model. write fills a temporary file
// beside it, which is synced and renamed when it is complete and removed after
// an error.
func WriteFile(path string, write func(w io.Writer) error) (err error) {
	f, err := createBeside(path)
	if err != nil {
		return NewFileError(path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriterSize(f, 1<<20)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = syncFile(f)
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = SyncFolder(filepath.Dir(path))
	}
	// The user knows path, not the temporary file. Errors of write about other
	// files keep their names.
	var p *os.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p) && p.Path == f.Name():
		return NewFileError(path, p.Err)
	case errors.As(err, &l) && l.Old == f.Name():
		return NewFileError(path, l.Err)
	}
	return err
}

// SyncFolder commits the names in a folder to the disk, if the system and the
// file system do that.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil // a folder that may be written and not read
	}
	defer f.Close()
	err = syncFile(f)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// syncFile is a variable for tests.
var syncFile = (*os.File).Sync

// createBeside creates a temporary file in path's folder, with the permissions
// of a new file at path (those of os.CreateTemp are for the owner alone).
func createBeside(path string) (*os.File, error) {
	dir := filepath.Dir(path)
	for try := 0; ; try++ {
		name := filepath.Join(dir, fmt.Sprintf(".%08x.tmp", rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil || !errors.Is(err, os.ErrExist) || try == 100 {
			return f, err
		}
	}
}
