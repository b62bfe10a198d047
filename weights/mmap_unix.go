//go:build unix

package weights

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File, size int) ([]byte, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err == unix.ENODEV { // the file system has no mappings
		err = errors.ErrUnsupported
	}
	return data, err
}

func unmapFile(data []byte) error { return unix.Munmap(data) }

// dropPages takes the pages of a read-only file mapping out of the process.
// It is advice: where it fails the pages stay, which is no error.
func dropPages(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) }
