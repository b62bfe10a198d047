//go:build unix

package guard

import (
	"math"
	"syscall"
)

// Files returns how many files the process may have open, connections among them.
func Files() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return math.MaxInt32
	}
	return int(min(uint64(l.Cur), math.MaxInt32))
}
