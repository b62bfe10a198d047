package benchmark

import (
	"bytes"
	"os"
	"strconv"
)

// peakMemory returns the most memory that the process had resident since
// resetPeakMemory, in MiB; 0 if that is not known (proc(5), VmHWM).
func peakMemory() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(data, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte("kB"))
	kib, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	if err != nil {
		return 0
	}
	return float64(kib) / 1024
}

// resetPeakMemory makes what is resident now the peak. Where the system does
// not allow that the peak stays the process's.
func resetPeakMemory() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
