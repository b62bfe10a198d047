//go:build !unix

package benchmark

import "runtime"

// PeakMemory returns the memory that Go obtained from the system, in MiB, which
// is all of the process's memory where files are not mapped.
func PeakMemory() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / (1 << 20)
}

func ResetPeakMemory() {}
