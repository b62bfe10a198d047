//go:build !race

package mem

import (
	"syscall"
	"unsafe"
)

// FromSystem reports whether blocks of [HugePage] bytes or more come from the
// system, which [Free] and [Discard] return them to. Otherwise all memory is
// Go's.
const FromSystem = true

// systemMemory maps n bytes, rounded up to whole huge pages. It returns nil if
// the system refuses.
func systemMemory(n int) []byte {
	whole := (n + HugePage - 1) &^ (HugePage - 1)
	b, err := syscall.Mmap(-1, 0, whole, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	const madvHugepage = 14
	_ = syscall.Madvise(b, madvHugepage) // only advice; without it the memory is slower
	return b[:n]
}

func freeSystemMemory(b []byte) {
	if err := syscall.Munmap(b); err != nil {
		panic("mem: Free of memory that is not from Alloc")
	}
}

// Discard lets the system reclaim the pages of b, part of a block from [Alloc],
// until they are written again. The contents of b are lost. Only whole huge
// pages are reclaimed, since breaking one up would make the rest of it slower.
func Discard(b []byte) {
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (HugePage - 1))
	if n := (len(b) - off) &^ (HugePage - 1); n > 0 {
		_ = syscall.Madvise(b[off:off+n], syscall.MADV_DONTNEED) // only advice
	}
}
