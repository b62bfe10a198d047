package kernels

import (
	"syscall"
	"unsafe"
)

// Discard gives the pages of b, which is memory from [Alloc], back to the
// system until they are written to again. The content of b is lost. Only whole
// huge pages go, for what is left of one would be slower.
func Discard(b []byte) {
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (hugePage - 1))
	if n := (len(b) - off) &^ (hugePage - 1); n > 0 {
		_ = syscall.Madvise(b[off:off+n], syscall.MADV_DONTNEED) // advice
	}
}
