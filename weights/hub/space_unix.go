//go:build darwin || dragonfly || freebsd || linux

package hub

import "golang.org/x/sys/unix"

// free returns the number of bytes that can still be written to a folder.
func free(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(uint64(s.Bavail) * uint64(s.Bsize)), true
}
