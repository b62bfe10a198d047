package files

import (
	"os"
	"syscall"
	"time"
)

// changeTime returns when a file was created, which is when it was copied there.
func changeTime(_ string, info os.FileInfo, _ bool) time.Time {
	if d, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		return time.Unix(0, d.CreationTime.Nanoseconds())
	}
	return time.Time{}
}
