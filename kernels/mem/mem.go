// Package mem allocates the large, aligned blocks of memory that the kernels
// work on.
//
// The rows of one tile of a product lie on many small pages, and translating
// their addresses would cost more than the loads themselves. On Linux a block
// of 2 MiB or more therefore comes straight from the system, on huge pages
// where it has them, and is invisible to the garbage collector: whoever
// allocates it must free it. Everywhere else, and for every smaller block, the
// memory is Go's, and Free and Discard do nothing.
//
// Programs built with the race detector use Go's memory alone, since it is the
// only memory that the detector watches.
package mem

import (
	"errors"
	"math"
	"math/bits"
	"unsafe"
)

// HugePage is the size in bytes from which a block comes from the system.
const HugePage = 2 << 20

// align is the alignment of every block: a cache line.
const align = 64

// ErrOutOfMemory is the value of a panic of [Alloc] and [Size], by which callers
// that recover tell it from any other.
var ErrOutOfMemory = errors.New("mem: out of memory")

// Alloc returns n zeroed bytes that start on a 64-byte boundary. The caller
// must release a block of [HugePage] bytes or more with [Free]. Alloc panics
// with [ErrOutOfMemory] if the system refuses the memory. Where the memory is
// Go's, running out of it crashes the program, which no caller can recover from.
func Alloc(n int) []byte {
	b := TryAlloc(n)
	if b == nil {
		panic(ErrOutOfMemory)
	}
	return b
}

// TryAlloc is like [Alloc] but returns nil if the system refuses the memory.
// Where the memory is Go's, only sizes beyond the address space are refused; to
// run out of memory is a crash.
func TryAlloc(n int) []byte {
	if n < HugePage {
		return goMemory(n)
	}
	return systemMemory(n)
}

// Free returns a block from [Alloc] to the system at once. The block must not
// be used afterwards. Free ignores blocks smaller than [HugePage].
func Free(b []byte) {
	if cap(b) >= HugePage {
		freeSystemMemory(b[:cap(b)])
	}
}

// Size returns the product of the factors of a size in bytes. It panics like
// [Alloc] if no memory could be that large, as may happen with the tensors of a
// large picture on a 32-bit machine.
func Size(factors ...int) int {
	const most = math.MaxInt - 2*HugePage // leaves room for rounding up
	n := uint(1)
	for _, f := range factors {
		over, product := bits.Mul(n, uint(f))
		if n = product; over > 0 || n > most {
			panic(ErrOutOfMemory)
		}
	}
	return int(n)
}

// goMemory allocates n aligned bytes from the Go heap.
func goMemory(n int) []byte {
	b := make([]byte, n+align)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (align - 1))
	return b[off : off+n : off+n]
}
