//go:build !linux || race

package mem

// FromSystem reports whether blocks of [HugePage] bytes or more come from the
// system, which [Free] and [Discard] return them to. Otherwise all memory is
// Go's.
const FromSystem = false

// systemMemory returns nil if n bytes exceed the address space, for which make
// panics. If there is no memory left, it crashes.
func systemMemory(n int) (b []byte) {
	defer func() {
		if recover() != nil {
			b = nil
		}
	}()
	return goMemory(n)
}

func freeSystemMemory([]byte) {}

// Discard lets the system reclaim the pages of b, part of a block from [Alloc],
// where it can. Here the memory belongs to the garbage collector, and Discard
// does nothing.
func Discard([]byte) {}
