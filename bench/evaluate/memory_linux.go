package evaluate

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// watchMemory returns a function that returns the peak of a process's resident
// memory in MiB after its end, 0 if the process was too short to know. What
// wait4 reports is at least the peak of this process, whose memory the child
// shared until it executed its program (fs/exec.c: exec_mmap); if it is no more
// than that, the peak is that of samples.
func watchMemory(pid int) (peak func(*os.ProcessState) float64) {
	own := highWater("self")
	stop, samples := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				samples <- most
				return
			case <-tick.C:
				most = max(most, highWater(strconv.Itoa(pid)))
			}
		}
	}()
	return func(s *os.ProcessState) float64 {
		close(stop)
		sampled := <-samples
		if u, ok := s.SysUsage().(*syscall.Rusage); ok {
			if total := float64(u.Maxrss) / 1024; total > own {
				return total
			}
		}
		return sampled
	}
}

// highWater returns a process's VmHWM in MiB (proc(5)), 0 if it is unknown.
func highWater(process string) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%s/status", process))
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
