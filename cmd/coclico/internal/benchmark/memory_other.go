//go:build !unix

package benchmark

import "runtime"

// peakMemory returns the memory that Go obtained from the system, in MiB, which
// is all of the process's memory where files are not mapped.
func peakMemory() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / (1 << 20)
}

func resetPeakMemory() {}
