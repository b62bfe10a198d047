//go:build !linux || race

package mem

func systemMemory(n int) []byte { return goMemory(n) }

func freeSystemMemory([]byte) {}

// Discard lets the system reclaim the pages of b, part of a block from [Alloc],
// where it can. Here the memory belongs to the garbage collector, and Discard
// does nothing.
func Discard([]byte) {}
