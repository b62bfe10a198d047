//go:build unix && !linux

package benchmark

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// peakMemory returns the most memory that the process had resident, in MiB; 0
// if that is not known. The system does not tell of a part of the run alone.
func peakMemory() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return float64(u.Maxrss) / (1 << 20) // bytes
	}
	return float64(u.Maxrss) / (1 << 10)
}

func resetPeakMemory() {}
