package process

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"
)

// system makes a file system of pairs of a name and a content.
func system(pairs ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		files[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return files
}

// TestMemory reads what machines and containers report about their memory.
func TestMemory(t *testing.T) {
	const (
		machine = "MemTotal:       16000000 kB\nMemFree:          300000 kB\nMemAvailable:    8000000 kB\nSwapFree:              0 kB\n"
		group1  = "12:cpu,cpuacct:/a/b\n4:memory:/a/b\n0::/\n"
		at1     = "sys/fs/cgroup/memory/"
		at2     = "sys/fs/cgroup/"
		free1   = "9223372036854771712\n" // no limit
	)
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		want  int64
	}{
		{"a system that tells nothing", system(), math.MaxInt64},
		{"a kernel before MemAvailable", system("proc/meminfo", "MemFree: 1 kB\n"), math.MaxInt64},
		{"a machine", system("proc/meminfo", machine), 8_000_000 << 10},
		{"swap", system("proc/meminfo", strings.Replace(machine, "SwapFree:              0", "SwapFree:        1000000", 1)), 9_000_000 << 10},
		{"groups without limits", system("proc/meminfo", machine, "proc/self/cgroup", group1,
			at1+"a/b/memory.limit_in_bytes", free1, at1+"a/b/memory.usage_in_bytes", "1000\n",
			at1+"memory.limit_in_bytes", free1, at1+"memory.usage_in_bytes", "1000000\n"), 8_000_000 << 10},
		{"version 1", system("proc/meminfo", machine, "proc/self/cgroup", group1,
			at1+"a/b/memory.limit_in_bytes", "268435456\n", at1+"a/b/memory.usage_in_bytes", "100000000\n",
			at1+"a/b/memory.stat", "inactive_file 7\ntotal_inactive_file 20000000\ntotal_active_file 1000000\n"), 268435456 - 79_000_000},
		{"version 1, a group above", system("proc/meminfo", machine, "proc/self/cgroup", group1,
			at1+"a/b/memory.limit_in_bytes", "268435456\n", at1+"a/b/memory.usage_in_bytes", "0\n",
			at1+"a/memory.limit_in_bytes", "300000000\n", at1+"a/memory.usage_in_bytes", "200000000\n"), 100_000_000},
		{"version 1, the container's group at the root", system("proc/meminfo", machine, "proc/self/cgroup", "4:memory:/docker/0123\n",
			at1+"memory.limit_in_bytes", "268435456\n", at1+"memory.usage_in_bytes", "1000\n"), 268435456 - 1000},
		{"version 2", system("proc/meminfo", machine, "proc/self/cgroup", "0::/a.slice/b.scope\n",
			at2+"a.slice/b.scope/memory.max", "max\n", at2+"a.slice/b.scope/memory.current", "50000000\n",
			at2+"a.slice/memory.max", "200000000\n", at2+"a.slice/memory.current", "90000000\n",
			at2+"a.slice/memory.stat", "anon 5\nfile 30000000\ninactive_file 10000000\nactive_file 20000000\n"), 140_000_000},
		{"version 2, a container of its own", system("proc/meminfo", machine, "proc/self/cgroup", "0::/\n",
			at2+"memory.max", "200000000\n", at2+"memory.current", "210000000\n"), 0},
		{"a group outside of the container", system("proc/meminfo", machine, "proc/self/cgroup", "0::/../../x\n",
			at2+"memory.max", "200000000\n", at2+"memory.current", "0\n"), 200_000_000},
		{"a container of more than the machine has", system("proc/meminfo", machine, "proc/self/cgroup", "0::/\n",
			at2+"memory.max", "100000000000\n", at2+"memory.current", "0\n"), 8_000_000 << 10},
		{"no numbers", system("proc/meminfo", machine, "proc/self/cgroup", "0\n0::/\n",
			at2+"memory.max", "many\n", at2+"memory.current", "0\n", at2+"memory.stat", "inactive_file\n"), 8_000_000 << 10},
	} {
		if got := memoryOf(c.files); got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, got, c.want)
		}
	}
}
