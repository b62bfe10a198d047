// Package kernels is the arithmetic of the networks: floats in, floats out. It
// knows neither layers nor files.
//
// # What there is
//
// Products, which are nearly all of the work, run in a gemm; everything else in
// the loops of a vec. An impl has both. [Active] says which one runs.
//
//	impl     operands, fast   operands, exact   tile    loops over elements
//	amx      bfloat16         3 x bfloat16      32x32   AVX-512 + AVX512_BF16
//	avx512   float32          float32           14x32   AVX-512 F, BW, DQ, VL
//	avx2     float32          float32           6x16    AVX2, FMA, F16C
//	neon     float32          float32           6x16    NEON
//	generic  float32          float32           4x16    Go
//
// The environment variable COCLICO_KERNELS forces one by name. The best that
// the machine has is the default. Every impl computes what generic computes:
// generic is always compiled, and the tests compare the others with it, bit
// for bit on small integers, whose sums are exact, and within a bound that
// grows with the length of the sum on random numbers.
//
// # The contract
//
// A product reads an [Operand] (rows of activations, narrowed once by whatever
// makes them) and [Packed] weights (reordered once), and ends in an [Epilogue].
// A linear layer, a convolution of 3x3 and each of the three to six products of
// operands that were split in three are one loop over a table of steps: see
// strip. Tails are the packers' business: operands and panels are padded with
// zeros, so that assembly only ever sees whole tiles.
//
// Work is split by tiles of the result and sums keep their order: results do
// not depend on GOMAXPROCS, nor on which of an impl's loops ran.
//
// Shapes are the caller's to prove; a wrong one panics with a constant string.
//
// Machines are little-endian, as checkpoints are: elements that need no
// conversion are used as they lie in the file.
//
// # How to add an instruction set
//
// Write its gemm (a loop over a strip, and the tile it wants) and its vec
// (start from a copy of vecGeneric and replace one loop at a time), and list
// the impl in archImpls. The tests find it there.
package kernels
