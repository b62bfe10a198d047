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

// WriteFile creates or replaces a file of a model. write fills a draft beside
// it, which is synced and renamed when it is complete and removed after an
// error; see [CreateDraft]. Of several writers at once the last one's file stays,
// and each has a draft of its own.
//
// The draft that a killed writer left goes with the next one where it is known to
// be nobody's. Without locks it may be another process's, and stays; so does the
// draft of a writer that began beside another one.
func WriteFile(path string, write func(w io.Writer) error) error {
	draft := DraftOf(path)
	f, err := createDraft(Disk{}, draft, false)
	if errors.Is(err, ErrBusy) {
		draft = DraftOf(fmt.Sprintf("%s.%016x", path, rand.Uint64()))
		f, err = createDraft(Disk{}, draft, false)
	}
	if err != nil {
		return NewFileError(path, err)
	}
	b := bufio.NewWriterSize(f, 1<<20)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = syncFile(f)
	}
	if err == nil {
		err = RenameDraft(Disk{}, f, draft, path)
	}
	if err != nil {
		DiscardDraft(Disk{}, f, draft)
	} else {
		err = SyncFolder(filepath.Dir(path))
		f.Close() // syncFile has reported its errors
	}
	// The user knows path, not the draft. Errors of write about other files keep
	// their names.
	var p *os.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p) && p.Path == draft:
		return NewFileError(path, p.Err)
	case errors.As(err, &l) && l.Old == draft:
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
	if errors.Is(err, fs.ErrPermission) {
		return nil // a folder that may be written and not read
	}
	if err != nil {
		return err
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
