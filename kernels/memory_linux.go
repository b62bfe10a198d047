package kernels

import "syscall"

// mapMemory maps n bytes, rounded up to huge pages; nil if the system refuses.
func mapMemory(n int) []byte {
	b, err := syscall.Mmap(-1, 0, roundUp(n, hugePage), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	const madvHugepage = 14
	_ = syscall.Madvise(b, madvHugepage) // advice: without it only speed is lost
	return b[:n]
}

func unmapMemory(b []byte) {
	if err := syscall.Munmap(b); err != nil {
		panic("kernels: Free of memory that is not from Alloc")
	}
}
