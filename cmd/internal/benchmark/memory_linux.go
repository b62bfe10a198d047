package benchmark

import (
	"bytes"
	"os"
	"strconv"
)

// PeakMemory returns the process's largest resident memory since
// ResetPeakMemory, in MiB; 0 if it is unknown (proc(5), VmHWM).
func PeakMemory() float64 {
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

// ResetPeakMemory makes the memory resident now the peak. Where the system does
// not allow it, the peak remains that of the whole process.
func ResetPeakMemory() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
