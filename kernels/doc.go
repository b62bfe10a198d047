// Package kernels is the arithmetic of the networks: floats in, floats out. It
// knows neither layers nor files. The one kernel on integers is [Hamming],
// distances between codes of bits, by which archives are searched.
//
// # Implementations
//
// Nearly all of the work is products, which run in a gemm. Everything else runs
// in the loops of a vec. An impl, one per instruction set, has both; [Active]
// names the one in use.
//
//	impl         operands, fast   operands, exact   tile    loops over elements
//	amx          bfloat16         3 x bfloat16      32x32   AVX-512 and AVX512_BF16
//	avx512bf16   bfloat16         float32           14x32   AVX-512 and AVX512_BF16
//	avx512       float32          float32           14x32   AVX-512 F, BW, DQ, VL
//	avx2         float32          float32           6x16    AVX2, FMA, F16C
//	neonbf16     bfloat16         float32           6x16    NEON
//	neon         float32          float32           6x16    NEON
//	simd128      float32          float32           4x16    Go; products in WebAssembly's vectors
//	generic      float32          float32           4x16    Go
//
// Convolutions with avx512bf16 and neonbf16 have operands of float32 in both
// precisions. Where VDPBF16PS is slow, avx512bf16 is used only if it is selected.
// neonbf16 needs FEAT_BF16, which is optional from Armv8.2 on and in every
// processor from Armv8.6 on.
//
// By default the best impl that the machine supports is used. The environment
// variable COCLICO_KERNELS selects one by name. Every impl computes what
// generic computes. Generic is always compiled, and the tests compare the
// others with it: bit for bit on small integers, whose sums are exact, and
// within a bound that grows with the length of the sum on random numbers.
//
// All of a machine is in one Go file, such as avx2_amd64.go: its impl, the CPU
// features that it needs, and the declarations of its assembly. The assembly is
// in one file per operation.
//
// # The contract
//
// A product reads an [Operand] (rows of activations, narrowed once by the layer
// that produces them) and [Packed] weights (reordered once), and ends in an
// [Epilogue]. A linear layer, a 3x3 convolution, and each of the three to six
// products of operands that were split in three are one loop over a table of
// steps; see strip. Packers handle the tails: operands and panels are padded
// with zeros, so that assembly only ever sees whole tiles.
//
// Where float32 is multiplied, most 3x3 convolutions of stride 1 take another
// form: F(4x4,3x3), Winograd's, with a quarter of the products, which run in the
// same gemm on the same Packed; see winograd.go. Those that enlarge a picture
// have a form of their own, with a third of the products; see winograd_up.go.
// Convolutions with few outputs have a column for each tap; see conv_few.go. The
// shape alone decides.
//
// Work is split by tiles of the result, and sums keep their order: results
// depend neither on GOMAXPROCS nor on which of an impl's loops ran.
//
// The caller must pass correct shapes; a wrong one panics with a constant
// string.
//
// Machines are little-endian, as checkpoints are: elements that need no
// conversion are used as they are in the file. [Check] returns an error on any
// other machine.
//
// # How to add an instruction set
//
// Write its gemm (a loop over a strip, and the tile that suits it) and its vec
// (start with a copy of vecGeneric and replace one loop at a time), in a file
// of its own, and list the impl in archImpls. The tests find it there. Without
// transforms (winogradLoops) its convolutions are direct.
//
// # How to add a precision
//
// A precision is an index into impl.gemms. A new one, with operands of int8 for
// example, takes a constant of [Precision] with its name, and then:
//
//  1. A form (form.go): the size of an element, its planes, the scale of a
//     stored 1, when weights of each [DType] are encoded, and narrow, encode and
//     widen in Go. They are the oracle of a machine's own loops, which replace
//     them by form.with.
//  2. A gemm: a tile, and a loop in Go over a strip of that form, which is the
//     oracle of the machines' loops. Put the gemm into each impl's gemms. A
//     machine without such a loop uses one of its other gemms, as most do for
//     Fast.
//  3. A finish, if the loop leaves something other than float32 in C: it turns
//     C into float32 with the scales of the form. It is a field of the gemm.
//
// TestThirdPrecision takes these steps with int8, in Go, and runs every kernel
// with it.
package kernels
