//go:build !purego

package kernels

import "unsafe"

// implNEONBF16 multiplies bfloat16 with FEAT_BF16's products of matrices, except
// in convolutions: for what one FMLA multiplies in a direct convolution,
// F(4x4,3x3) in float32 takes 0.34 instructions, transforms included, and
// bfloat16 0.37, with a thousand times the error. The loops over elements are
// NEON's.
var implNEONBF16 = &impl{
	name:      "neonbf16",
	available: hasNEONBF16,
	gemms:     [NumPrecisions]*gemm{Exact: gemmNEON, Fast: gemmNEONBF16},
	convs:     &[NumPrecisions]*gemm{Exact: gemmNEON, Fast: gemmNEON},
	vec:       vecNEON,
}

// gemmNEONBF16 multiplies bfloat16 in tiles of 6 x 16.
//
// A BFMMLA multiplies four K of two rows by four K of two columns, as much as
// four FMLAs, and its sums are a block of 2 x 2. Of the 32 registers 24 hold the
// blocks of the tile, 6 hold eight K of the rows of A in pairs, and 2 are for B,
// which is packed in groups of four K: two columns are a register. A is not
// packed, and ZIP1 and ZIP2 make pairs of its rows. So eight K take 6 loads and 6
// zips for A and 8 loads of two registers for B, for 48 products. A whole step of
// 32 K is 192 products, 56 loads, 24 zips and 10 instructions for addresses and
// the loop: 282 in all, 1.47 for each product and 0.37 for what one FMLA
// multiplies, where gemmNEON takes 1.17.
//
// nr must divide [keyBlock], and a row of A costs a zip beside its load: for a
// product tiles of 4 x 16 would take 1.56 instructions, 8 x 8 1.72 and 12 x 8
// 1.67. Every sum is used once in 24 products, six times a latency of 4 on one
// pipe, as in gemmNEON.
var gemmNEONBF16 = &gemm{
	form: formBF16.with(narrowNEONBF16, encodeNEONBF16), mr: 6, nr: 16, group: 4, single: true,
	loops: []func(*strip){runNEONBF16},
	peak:  peakNEONBF16, peakFLOP: 24 * 2 * 16,
}

// narrowNEONBF16 computes what narrowBF16 computes for one plane, bit for bit.
func narrowNEONBF16(f *form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	n := cols &^ 7
	if n > 0 && rows > 0 {
		narrowOctets(dst, pitch, src, lds, rows, n/8)
	}
	if n < cols {
		narrowBF16(f, unsafe.Add(dst, 2*n), pitch, planeBytes, at(src, n), lds, rows, cols-n)
	}
}

// encodeNEONBF16 computes what encodeBF16 computes for one plane, bit for bit.
func encodeNEONBF16(f *form, dst, src []byte, dt DType, _ int) {
	var buf [1024]float32
	n := len(dst) / 2
	for i := 0; i < n; i += len(buf) {
		b := buf[:min(len(buf), n-i)]
		toF32NEON(b, src[i*dt.Size():], dt)
		narrowNEONBF16(f, unsafe.Pointer(&dst[2*i]), 0, 0, &b[0], 0, 1, len(b))
	}
}

// runNEONBF16 computes what runBF16 computes with mr = 6, nr = 16 and groups of
// four K, except that the sum of the products of two K is added, that all sums
// are rounded to odd, which is within a unit in the last place, and that numbers
// below 2^-126 count as zero.
//
//go:noescape
func runNEONBF16(s *strip)

// peakNEONBF16 runs n rounds of 24 multiplications that depend on nothing in
// memory.
//
//go:noescape
func peakNEONBF16(n int)

// narrowOctets computes what narrowNEONBF16 computes on n octets of every row.
//
//go:noescape
func narrowOctets(dst unsafe.Pointer, pitch int, src *float32, lds, rows, n int)
