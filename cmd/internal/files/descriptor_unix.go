//go:build unix && !solaris && !illumos && !aix

package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// descriptor returns the number of the open file that a name stands for:
// /dev/stdout, /dev/fd/3, or a link there.
func descriptor(path string) (fd int, ok bool) {
	own := fmt.Sprintf("/proc/%d/fd", os.Getpid())
	for range 8 { // links to links, as /dev/stdout is one to /proc/self/fd/1
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return 0, false
		}
		if dir == own || dir == "/dev/fd" {
			fd, err := strconv.Atoi(filepath.Base(path))
			return fd, err == nil && fd >= 0
		}
		target, err := os.Readlink(path)
		if err != nil {
			return 0, false
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return 0, false
}

// openDescriptor returns an open file once more. It has one position and one way
// of appending with whoever opened it, which it would not have if opened by name.
func openDescriptor(fd int, path string) (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}
