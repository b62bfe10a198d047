//go:build unix && !linux

package benchmark

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// PeakMemory returns the process's largest resident memory, in MiB; 0 if it is
// unknown. The system does not report it for a part of the run alone.
func PeakMemory() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return float64(u.Maxrss) / (1 << 20) // bytes
	}
	return float64(u.Maxrss) / (1 << 10)
}

func ResetPeakMemory() {}
