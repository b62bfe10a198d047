package pack

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/coclico/coclico/cmd/internal/files"
)

// maxZip is the size of the largest zip file that is read from a pipe.
const maxZip = 1 << 30

// maxDirectory is the size of the largest directory of a zip file. A file
// takes some 120 bytes there, and three times as many in memory.
const maxDirectory = 256 << 20

// zipFile returns a zip file: r if it is a File, and otherwise all of b, at most
// limit bytes, in memory.
func zipFile(r, b io.Reader, limit int64) (files.File, error) {
	if f, ok := r.(files.File); ok {
		return f, nil
	}
	data, err := io.ReadAll(io.LimitReader(b, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("a zip file of more than %d MiB from a pipe: its directory is at the end", limit>>20)
	}
	return files.InMemory(data), err
}

// eachZip reads a zip file: r if it is a File, and otherwise all of b.
func eachZip(r, b io.Reader, yield func(Entry, error) bool) error {
	f, err := zipFile(r, b, maxZip)
	if err != nil {
		return err
	}
	z, err := openZip(f, maxDirectory)
	if err != nil {
		return err
	}
	for _, file := range z.File {
		e := unread(file.Name, int64(file.UncompressedSize64), file.Modified, errTooLarge)
		switch mode := file.Mode(); {
		case mode&fs.ModeSymlink != 0:
			e = unread(file.Name, 0, file.Modified, errLinked)
		case !mode.IsRegular():
			continue
		case file.Flags&zipEncrypted != 0:
			e = unread(file.Name, e.Size, file.Modified, errLocked)
		case file.UncompressedSize64 <= maxFile:
			e.Open, e.Head = fromZip(file)
		}
		if !yield(e, nil) {
			return errStop
		}
	}
	return nil
}

// zipEncrypted is the bit of a zip file's general purpose flags for a file that
// takes a password.
const zipEncrypted = 1

// openZip reads the directory of a zip file, of at most limit bytes.
func openZip(f files.File, limit int64) (*zip.Reader, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	r := &budget{f, limit, true}
	z, err := zip.NewReader(r, size)
	if errors.Is(err, errSpent) {
		err = fmt.Errorf("a zip file whose directory has more than %d MiB, which is enough for two million files: divide it", limit>>20)
	}
	r.counts = false // what is read of the files
	return z, err
}

// A budget is a reader that, as long as it counts, fails when it has read a
// number of bytes.
type budget struct {
	r      io.ReaderAt
	left   int64
	counts bool
}

var errSpent = errors.New("the budget is spent")

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.counts {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errSpent
		}
	}
	return b.r.ReadAt(p, off)
}

// fromZip returns the functions of the [Entry] of a file in a zip file.
func fromZip(file *zip.File) (open func(context.Context) (files.File, error), head func(n int) []byte) {
	open = func(context.Context) (files.File, error) {
		r, err := file.Open()
		if errors.Is(err, zip.ErrAlgorithm) {
			err = fmt.Errorf("%w (method %d): unpack the zip file first", err, file.Method)
		}
		if err != nil {
			return nil, err
		}
		defer r.Close()
		data, err := readAll(r, int64(file.UncompressedSize64)) // a longer one is an error
		return files.InMemory(data), err
	}
	head = func(n int) []byte {
		r, err := file.Open()
		if err != nil {
			return nil
		}
		defer r.Close()
		head, _ := io.ReadAll(io.LimitReader(r, int64(n)))
		return head
	}
	return open, head
}
