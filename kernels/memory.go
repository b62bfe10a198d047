package kernels

import (
	"math"
	"math/bits"
	"unsafe"
)

// hugePage is the size from which memory is taken from the system itself.
const hugePage = 2 << 20

// Alloc returns n zeroed bytes on a 64-byte boundary. From 2 MiB on they come
// straight from the system, on huge pages where it has them (the rows of a
// tile lie on different small pages, and address translation would cost more
// than the loads), and are not the garbage collector's: give them to [Free].
// Running out of memory is a panic, as it is for make.
func Alloc(n int) []byte {
	b := TryAlloc(n)
	if b == nil {
		panic(outOfMemory)
	}
	return b
}

// TryAlloc is Alloc for what is only advice: it returns nil if the system
// refuses. Where memory is Go's own, off Linux, no such answer is to be had.
func TryAlloc(n int) []byte {
	if n < hugePage {
		return alignedBytes(n)
	}
	return mapMemory(n)
}

const outOfMemory = "kernels: out of memory"

// Bytes returns the product of factors that make up a size in memory. One that
// no memory can have, as a large picture's tensor on a 32-bit machine, is the
// same panic as too little memory.
func Bytes(factors ...int) int {
	const most = math.MaxInt - 2*hugePage // so that it may be rounded up
	n := uint(1)
	for _, f := range factors {
		over, product := bits.Mul(n, uint(f))
		if n = product; over > 0 || n > most {
			panic(outOfMemory)
		}
	}
	return int(n)
}

// Free gives memory from [Alloc] back to the system at once.
func Free(b []byte) {
	if cap(b) >= hugePage {
		unmapMemory(b[:cap(b)])
	}
}

// alignedBytes allocates n bytes on a 64-byte boundary.
func alignedBytes(n int) []byte {
	b := make([]byte, n+stepBytes)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (stepBytes - 1))
	return b[off : off+n : off+n]
}
