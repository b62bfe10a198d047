//go:build unix && !aix

package files

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// changeTime returns when a file or its name was last changed. No program can set
// that time, and moving or copying a file renews it.
func changeTime(path string, _ os.FileInfo, follow bool) time.Time {
	var st unix.Stat_t
	stat := unix.Lstat
	if follow {
		stat = unix.Stat
	}
	if stat(path, &st) != nil {
		return time.Time{}
	}
	return time.Unix(st.Ctim.Unix())
}
