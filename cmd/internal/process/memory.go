package process

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Memory returns the bytes that the process may take: seven eighths of what the
// machine and the container had left when Memory was first called, at most
// GOMEMLIMIT. From then on the garbage collector keeps within that, since garbage
// as large as the pictures would have the kernel kill the process. The last eighth
// is for memory that is not Go's. Where the system does not tell, the number is
// larger than any machine's memory.
func Memory() int64 { return memory() }

var memory = sync.OnceValue(func() int64 {
	left := systemMemory()
	limit := min(debug.SetMemoryLimit(-1), left-left/8)
	debug.SetMemoryLimit(limit)
	return limit
})

// Share returns the bytes that pictures in memory may take together: most, or
// half of [Memory] if that is less. The rest is for garbage and the networks.
func Share(most int64) int64 { return min(most, Memory()/2) }

// Fits returns an error if a picture takes more than [Memory]. It says what the
// picture does: "takes".
func Fits(bytes int64) error {
	if left := Memory(); bytes > left {
		return fmt.Errorf("takes %d MiB of memory to encode: %d MiB are left here, scale it down first", bytes>>20, left>>20)
	}
	return nil
}
