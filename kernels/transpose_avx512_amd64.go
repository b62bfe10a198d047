//go:build !purego

package kernels

import "unsafe"

// transposeAVX512 is vec.transpose.
//
//go:noescape
func transposeAVX512(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)

// interleaveAVX512 is vec.interleave.
//
//go:noescape
func interleaveAVX512(dst unsafe.Pointer, dstStep int, src unsafe.Pointer, stride, steps int)

// sortTapsAVX512 is vec.sortTaps.
//
//go:noescape
func sortTapsAVX512(dst, src unsafe.Pointer, stride, n int)
