//go:build unix

package mmap

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Map maps the first size bytes of a file, at least one. The error is
// [errors.ErrUnsupported] where files cannot be mapped. Reading the memory
// fails with a signal if the file has become shorter.
func Map(f *os.File, size int) ([]byte, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err == unix.ENODEV { // the file system has no memory mapping
		err = errors.ErrUnsupported
	}
	return data, err
}

// Unmap ends a mapping, which must be all that Map returned.
func Unmap(data []byte) error { return unix.Munmap(data) }

// Drop frees the pages of a part of a mapping. They are read from the file
// again when they are needed. It is advice: if it fails, the pages stay.
func Drop(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) }
