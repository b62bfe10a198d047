package process

import (
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

func systemMemory() int64 { return memoryOf(os.DirFS("/")) }

// memoryOf returns what is left of a machine's memory, and of that of the control
// groups that the process is in: the kernel kills a process that takes more.
func memoryOf(root fs.FS) int64 {
	left := machineMemory(root)
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // without control groups there is no such file
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, group
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			left = min(left, version2.left(root, parts[2]))
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			left = min(left, version1.left(root, parts[2]))
		}
	}
	return left
}

// machineMemory counts swap, to which the kernel moves what is not used.
func machineMemory(root fs.FS) int64 {
	info := counters(root, "proc/meminfo")
	available, ok := info["MemAvailable:"]
	if !ok {
		return math.MaxInt64
	}
	return (available + info["SwapFree:"]) << 10
}

// A hierarchy is a version of control groups: where it is mounted, and how its
// files and its counters of cached files are named.
type hierarchy struct {
	mount, limit, usage string
	cache               [2]string // of the group and those below it
}

var (
	version1 = hierarchy{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", [2]string{"total_inactive_file", "total_active_file"}}
	version2 = hierarchy{"sys/fs/cgroup", "memory.max", "memory.current", [2]string{"inactive_file", "active_file"}}
)

// left returns what is left of a group's memory and of that of the groups above
// it. Cached files count as left: the kernel drops them first. A container may see
// its own group as the root, and not the one that is named; a group without a
// limit has the word max, or a number beyond any machine's.
func (h *hierarchy) left(root fs.FS, group string) int64 {
	left := int64(math.MaxInt64)
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		at := path.Join(h.mount, dir)
		limit, limited := number(root, path.Join(at, h.limit))
		usage, used := number(root, path.Join(at, h.usage))
		if limited && used {
			stat := counters(root, path.Join(at, "memory.stat"))
			usage -= stat[h.cache[0]] + stat[h.cache[1]]
			left = min(left, max(limit-max(usage, 0), 0))
		}
		if dir == "/" {
			return left
		}
	}
}

// number reads a file of one number.
func number(root fs.FS, name string) (int64, bool) {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}

// counters reads a file of lines with a name and a number.
func counters(root fs.FS, name string) map[string]int64 {
	m := map[string]int64{}
	data, _ := fs.ReadFile(root, name)
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) >= 2 {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				m[f[0]] = n
			}
		}
	}
	return m
}
