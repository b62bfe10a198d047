package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"sync"
	"unsafe"

	"github.com/coclico/coclico/internal/mmap"
)

// maxFile bounds a weights file. The largest part of Stable unCLIP has 3.5 GB
// in float32.
const maxFile = 64 << 30

// A region is the content of one opened file: mapped, or held in memory.
type region struct {
	data []byte

	mu     sync.RWMutex // held for reading while pages are released
	mapped bool
}

// openRegion maps the file at path, or reads it where files cannot be mapped.
func openRegion(path string) (*region, error) {
	// Check before opening: opening a named pipe waits for its other end.
	info, err := os.Stat(path)
	if err != nil {
		return nil, NewFileError(path, err)
	}
	if err := checkFile(info); err != nil {
		return nil, NewFileError(path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, NewFileError(path, err)
	}
	defer f.Close()
	if info, err = f.Stat(); err == nil {
		err = checkFile(info)
	}
	if err != nil {
		return nil, NewFileError(path, err)
	}
	data, err := mmap.Map(f, int(info.Size()))
	if errors.Is(err, errors.ErrUnsupported) {
		return readRegion(f, info.Size(), path)
	}
	if err != nil {
		return nil, NewFileError(path, fmt.Errorf("cannot map it into memory: %w", err))
	}
	return &region{data: data, mapped: true}, nil
}

func readRegion(f io.Reader, size int64, display string) (*region, error) {
	if strconv.IntSize == 32 && size > 1<<30 {
		return nil, NewFileError(display, errors.New("is too large to be read on a 32-bit machine"))
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, NewFileError(display, err)
	}
	return &region{data: data}, nil
}

// openRegionFS reads a file of fsys. A file that has a method Bytes() []byte
// is not copied.
func openRegionFS(fsys fs.FS, name, display string) (*region, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, NewFileError(display, err)
	}
	defer f.Close()
	if b, ok := f.(interface{ Bytes() []byte }); ok {
		return &region{data: b.Bytes()}, nil
	}
	info, err := f.Stat()
	if err == nil {
		err = checkFile(info)
	}
	if err != nil {
		return nil, NewFileError(display, err)
	}
	return readRegion(f, info.Size(), display)
}

func checkFile(info fs.FileInfo) error {
	switch size := info.Size(); {
	case info.IsDir():
		return errors.New("is a folder, a file is needed")
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case size == 0:
		return errors.New("is empty")
	case size > maxFile:
		return errors.New("is larger than 64 GiB")
	case size > math.MaxInt:
		return errors.New("is too large for a 32-bit machine")
	}
	return nil
}

// release frees the pages that b touches. It works in whole pages, so neighbors
// in the file may be freed too; pages come back when they are read.
func (r *region) release(b []byte) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	// Outside a file mapping the same call would zero memory.
	if !r.mapped || len(b) == 0 {
		return
	}
	start := uintptr(unsafe.Pointer(&b[0])) - uintptr(unsafe.Pointer(&r.data[0]))
	size := uintptr(len(r.data))
	if start >= size || uintptr(len(b)) > size-start {
		return
	}
	end := start + uintptr(len(b))
	start &^= uintptr(os.Getpagesize()) - 1
	mmap.Drop(r.data[start:end])
}

func (r *region) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mapped {
		return nil
	}
	r.mapped = false
	return mmap.Unmap(r.data)
}
