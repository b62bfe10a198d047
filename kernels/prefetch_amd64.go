//go:build !purego

package kernels

import "unsafe"

// prefetchT1 is vec.prefetch.
//
//go:noescape
func prefetchT1(p unsafe.Pointer, n int)
