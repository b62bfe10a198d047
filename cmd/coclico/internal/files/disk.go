package files

import (
	"fmt"
	"os"
)

// OS is the operating system's disk.
type OS struct{}

// Create implements [Disk].
func (OS) Create(part string) (Part, error) {
	// A link would have its target emptied, a pipe would wait for a reader.
	if info, err := os.Lstat(part); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is in the way: it is not a regular file", part)
	}
	for {
		f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, err
		}
		// Whoever held the lock before may have renamed the file.
		mine, err1 := f.Stat()
		now, err2 := os.Stat(part)
		if err1 != nil || err2 != nil || !os.SameFile(mine, now) {
			f.Close()
			continue
		}
		if err := f.Truncate(0); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
}
