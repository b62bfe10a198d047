package kernels

import "unsafe"

// hugePage is the size from which memory is taken from the system itself.
const hugePage = 2 << 20

// Alloc returns n zeroed bytes on a 64-byte boundary. From 2 MiB on they come
// straight from the system, on huge pages where it has them (the rows of a
// tile lie on different small pages, and address translation would cost more
// than the loads), and are not the garbage collector's: give them to [Free].
func Alloc(n int) []byte {
	if n < hugePage {
		return alignedBytes(n)
	}
	return mapMemory(n)
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
