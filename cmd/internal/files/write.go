package files

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/coclico/coclico/weights"
)

// A Disk has the operations that writing a whole file needs. OS is the operating
// system's; tests have others.
type Disk interface {
	// Create opens the file for an incomplete part, empty and locked.
	Create(part string) (Part, error)
	// Rename gives a complete and synced part its name. The part stays open
	// and locked unless the system cannot rename open files.
	Rename(p Part, part, path string) error
	// SyncFolder commits the names in a folder to the disk.
	SyncFolder(dir string) error
	// Discard closes and removes a part.
	Discard(p Part, part string)
}

// A Part is a file that is being written.
type Part interface {
	io.WriteCloser
	Sync() error
}

// A WriteError is an error of the operating system in writing a file. It begins
// with the file's name.
type WriteError struct{ error }

func (e WriteError) Unwrap() error { return e.error }

var (
	// ErrBusy means that another process is writing the file.
	ErrBusy = weights.ErrBusy
	// ErrFull means that the disk, or somebody's share of it, is full.
	ErrFull = errors.New("no space left on the device")
)

// Replace creates or replaces a file as a whole, or not at all: see the package
// comment. It returns the error of fill, or a [WriteError].
func Replace(d Disk, path string, fill func(w io.Writer) error) error {
	if IsDir(path) {
		return WriteError{Named(path, errors.New("is a directory, not a file"))}
	}
	part := weights.DraftOf(path)
	f, err := d.Create(part)
	if err != nil {
		return writeError(path, err)
	}
	w := &checkedWriter{Writer: f}
	if err := fill(w); err != nil || w.err != nil {
		d.Discard(f, part)
		if w.err != nil {
			return writeError(path, w.err)
		}
		return err
	}
	if err = f.Sync(); err == nil {
		err = d.Rename(f, part, path)
	}
	if err != nil {
		d.Discard(f, part)
		return writeError(path, err)
	}
	err = d.SyncFolder(filepath.Dir(path))
	f.Close() // Sync has reported its errors
	if err != nil {
		return writeError(path, err)
	}
	return nil
}

func writeError(path string, err error) error { return WriteError{Named(path, Full(err))} }

// Full returns ErrFull for an error that means a full disk, and any other as it
// is.
func Full(err error) error {
	if isFull(err) {
		return ErrFull
	}
	return err
}

// A checkedWriter remembers its first error, which fill may ignore.
type checkedWriter struct {
	io.Writer
	err error
}

func (w *checkedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// Overwrites returns an error if writing an output would take an input away: if
// they are one regular file, if the input has the name of the output's part, or if
// the output is in the folder that is the input, or in the archive that it is in.
func Overwrites(input, output string) error {
	target := output
	if t, err := filepath.EvalSymlinks(output); err == nil {
		target = t // as IO.Write has it
	}
	folder, _, member := SplitMember(input)
	if !member {
		folder = input
	}
	switch {
	case input == Stdio || output == Stdio:
		return nil
	case IsDir(folder) && Inside(output, folder):
		return Named(output, fmt.Errorf("is in the folder %s, which is being read: choose a place outside of it", folder))
	case IsRegular(output) && Same(input, output):
		return Named(input, errors.New("would be overwritten by its own result"))
	case Same(weights.DraftOf(target), input):
		return Named(input, fmt.Errorf("has the name under which %s is written: rename it", output))
	}
	return nil
}

// Fit shortens a file's name, without folders, to at most 255 bytes. A longer
// name is cut before its ending, and eight digits of its hash tell it from
// others with the same beginning.
func Fit(name string) string {
	if len(name) <= weights.MaxFileName {
		return name
	}
	ending := filepath.Ext(name)
	if len(ending) > 16 {
		ending = ""
	}
	tail := fmt.Sprintf("~%x", sha256.Sum256([]byte(name)))[:9] + ending
	n := weights.MaxFileName - len(tail)
	for cut := n; cut > n-utf8.UTFMax; cut-- { // not through a letter
		if utf8.RuneStart(name[cut]) {
			n = cut
			break
		}
	}
	return name[:n] + tail
}

// Probe creates a folder, and a file in it that it removes, so that a folder that
// cannot be written is an error before the work.
func Probe(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return Named(dir, errors.New("is a file, not a folder"))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return Named(dir, err)
	}
	f, err := os.CreateTemp(dir, ".coclico-*")
	if err != nil {
		return Named(dir, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// RoomDraft is the name of the file that [Room] writes and removes.
const RoomDraft = ".coclico-room"

// Room writes and removes a file of some blocks in a folder. The error is
// [ErrFull] if its disk is full.
func Room(dir string) error {
	data := make([]byte, 64<<10)
	rand.Read(data) // which no file system compresses
	path := filepath.Join(dir, RoomDraft)
	f, err := OS{}.Create(path)
	if err == nil {
		defer OS{}.Discard(f, path)
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return Named(dir, Full(err))
	}
	return nil
}
