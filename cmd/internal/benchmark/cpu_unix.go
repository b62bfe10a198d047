//go:build unix

package benchmark

import "golang.org/x/sys/unix"

// cpuTime returns the processor time that this process has used, in seconds.
func cpuTime() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
