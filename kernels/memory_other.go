//go:build !linux

package kernels

func mapMemory(n int) []byte { return alignedBytes(n) }

func unmapMemory([]byte) {}
