package process

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// least is what Memory returns at least: with less nothing could be done, and the
// garbage collector would do nothing else.
const least = 32 << 20

// A budget is the memory that a process may take.
type budget struct {
	left func() int64 // what the system has left

	mu           sync.Mutex
	given, limit int64 // GOMEMLIMIT, and the result; 0 before
}

var memory = budget{left: systemMemory}

// Memory returns the bytes that the process may take: seven eighths of what the
// machine and the container had left when it was first called, at most GOMEMLIMIT,
// and at least 32 MiB. From then on the garbage collector keeps within that, since
// garbage as large as the pictures would have the kernel kill the process. The last
// eighth is for memory that is not Go's. Where the system does not tell, the number
// is larger than any machine's memory.
func Memory() int64 { return memory.get(0) }

// get returns the limit. It measures anew if less is known of than is needed: other
// programs may have ended. What the process has taken itself is not left then, so
// the limit is never lowered.
func (b *budget) get(need int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit == 0 {
		b.given = debug.SetMemoryLimit(-1)
	}
	if b.limit == 0 || need > b.limit {
		left := b.left()
		b.limit = max(b.limit, min(b.given, left-left/8), least)
		debug.SetMemoryLimit(min(b.given, b.limit))
	}
	return b.limit
}

// Share returns the bytes that pictures in memory may take together: most, or
// half of [Memory] if that is less. The rest is for garbage and the networks.
func Share(most int64) int64 { return min(most, Memory()/2) }

// Fits returns an error if a picture takes more than [Memory], which is measured
// anew before that. It says what the picture does: "takes".
func Fits(bytes int64) error {
	if left := memory.get(bytes); bytes > left {
		return fmt.Errorf("takes %d MiB of memory to encode: %d MiB are left here, scale it down first", (bytes+1<<20-1)>>20, left>>20)
	}
	return nil
}
