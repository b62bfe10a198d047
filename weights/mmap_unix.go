//go:build unix

package weights

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File, size int) ([]byte, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err == unix.ENODEV { // the file system has no memory mapping
		err = errors.ErrUnsupported
	}
	return data, err
}

func unmapFile(data []byte) error { return unix.Munmap(data) }

// dropPages frees the pages of a read-only file mapping. It is advice: if it
// fails, the pages stay.
func dropPages(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) }
