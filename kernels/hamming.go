package kernels

import "unsafe"

// maxHammingWords is the length of the longest codes: their distances fit in 16
// bits.
const maxHammingWords = 1<<16/64 - 1

// Hamming sets dst[i] to the number of bits in which code i of codes differs
// from query. A code has len(query) words, at most 1023, and codes has len(dst)
// of them, one after another.
//
// It runs on the calling goroutine: a search has its own way to divide a set of
// codes.
func Hamming(dst []uint16, query, codes []uint64) {
	switch n := len(query); {
	case n == 0 || n > maxHammingWords:
		panic("kernels: Hamming code length")
	case len(codes)%n != 0 || len(codes)/n != len(dst):
		panic("kernels: Hamming shape")
	}
	active().vec.hamming(dst, query, codes)
}

func (v *vec) hamming(dst []uint16, query, codes []uint64) {
	if raceEnabled {
		raceRead(unsafe.Pointer(unsafe.SliceData(query)), 0, 1, 8*len(query))
		raceRead(unsafe.Pointer(unsafe.SliceData(codes)), 0, 1, 8*len(codes))
		raceWrite(unsafe.Pointer(unsafe.SliceData(dst)), 0, 1, 2*len(dst))
	}
	v.loops.hamming(dst, query, codes)
}

// blocksOf runs a loop that takes codes in whole blocks, and hammingGeneric on
// the last codes.
func blocksOf(size int, dst []uint16, query, codes []uint64, loop func(dst *uint16, query, codes *uint64, words, blocks int)) {
	n := len(dst) / size * size
	if n > 0 {
		loop(&dst[0], &query[0], &codes[0], len(query), n/size)
	}
	hammingGeneric(dst[n:], query, codes[n*len(query):])
}
