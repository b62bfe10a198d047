//go:build !purego

package kernels

// gemmNEON multiplies float32 in tiles of 6 x 16.
//
// Of the 32 registers 24 hold the tile, 6 hold four K of each row of A, 2 are
// for B. A multiply-add takes its A from a lane, so A needs no broadcast and
// no packing. For four K that is 6 loads of A and 8 of pairs of B against 96
// multiply-adds: 0.146 loads for each (the 22 registers loaded are 0.23 of
// the multiply-adds; cores issue loads at half the rate of multiply-adds or
// better). A whole step of 16 K is 384 multiply-adds, 56 loads and 10
// instructions for addresses and the loop: 450 in all, 1.17 for each.
//
// nr must divide [keyBlock], which leaves 8 and 16. 8 x 8 with double
// buffering loads 0.19 for each multiply-add, 5 x 16 0.16, and 8 x 12, the
// usual choice where A is packed too, has no register left for rows of A.
// With two registers for B a loop must reload them between multiply-adds,
// which renaming hides: every accumulator is used once in 24 multiply-adds,
// six times a multiply-add's latency of 4 on one pipe, enough for four.
var gemmNEON = &gemm{form: formF32, mr: 6, nr: 16, single: true, loops: []func(*strip){gemm6x16NEON}}

// gemm6x16NEON computes what runF32(s, 6, 16) computes, with fused
// multiply-adds.
//
//go:noescape
func gemm6x16NEON(s *strip)
