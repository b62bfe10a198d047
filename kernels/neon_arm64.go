//go:build !purego

package kernels

import "unsafe"

// archImpls returns the implementations of this architecture, best first.
func archImpls() []*impl { return []*impl{implNEONBF16, implNEON} }

// implNEON uses the vector instructions that every arm64 processor has: the Go
// port requires them.
var implNEON = &impl{
	name:      "neon",
	available: func() bool { return true },
	gemms:     [NumPrecisions]*gemm{Exact: gemmNEON, Fast: gemmNEON},
	vec:       vecNEON,
}

// gemmNEON multiplies float32 in tiles of 6 x 16.
//
// Of the 32 registers 24 hold the tile, 6 hold four K of each row of A, and 2
// are for B. A multiply-add takes its A from a lane, so A needs neither
// broadcasts nor packing. Four K take 6 loads of A and 8 of pairs of B for 96
// multiply-adds, which is 0.146 loads for each. (The 22 registers loaded are
// 0.23 of the multiply-adds; cores issue loads at half the rate of
// multiply-adds or better.) A whole step of 16 K is 384 multiply-adds, 56 loads
// and 10 instructions for addresses and the loop: 450 in all, 1.17 for each.
//
// nr must divide [keyBlock], which leaves 8 and 16. A tile of 8 x 8 with double
// buffering loads 0.19 for each multiply-add, 5 x 16 loads 0.16, and 8 x 12,
// the usual choice where A is packed too, has no register left for rows of A.
// With two registers for B a loop must reload them between multiply-adds,
// which renaming hides: every accumulator is used once in 24 multiply-adds, six
// times a multiply-add's latency of 4 on one pipe, enough for four.
var gemmNEON = &gemm{
	form: formF32.with(narrowNEON, encodeNEON), mr: 6, nr: 16, single: true,
	loops: []func(*strip){runNEON},
}

// vecNEON works on quads: four floats, one vector register. The assembly takes
// a number of them, at least 1. The rest of a row, one to three elements, goes
// through it in a quad of its own, so that an element's result does not depend
// on its place in the row.
var vecNEON = &vec{loops{
	finish:  finishNEON,
	gate:    gateNEON,
	sums:    sumsNEON,
	affine:  affineNEON,
	rescale: rescaleNEON,
	toF32:   toF32NEON,
	hamming: hammingNEON,
	rowLoops: rowLoops{
		sigmoid:   sigmoidNEON,
		gelu:      geluNEON,
		moments:   momentsNEON,
		normalize: normalizeNEON,
		rowMax:    func(x []float32) float32 { return rowMaxBlocks(&x[0], len(x)/16) },
		exp2Sum: func(dst, x []float32, scale, top float32) float32 {
			return float32(exp2SumQuads(&dst[0], &x[0], len(x)/4, scale, top))
		},
	},
	winograd:   &winogradLoops{winogradInputNEON, winogradWeightsNEON, winogradOutputNEON},
	winogradUp: &winogradLoops{winogradUpInputNEON, winogradUpWeightsNEON, winogradUpOutputNEON},
}}

// quad returns up to four elements of x, followed by zeros.
func quad(x []float32) (q [4]float32) {
	copy(q[:], x)
	return q
}

// at returns the address of element i after p.
func at(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

// finishNEON computes what finishGeneric computes, bit for bit.
func finishNEON(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int) {
	n := cols &^ 3
	if res == nil {
		ldr = 0
	}
	if n > 0 && rows > 0 {
		finishQuads(dst, ldd, src, lds, rows, n/4, bias, res, ldr)
	}
	if n == cols || rows == 0 {
		return
	}
	if bias != nil {
		bias = at(bias, n)
	}
	if res != nil {
		res = at(res, n)
	}
	finishGeneric(at(dst, n), ldd, at(src, n), lds, rows, cols-n, bias, res, ldr)
}

func narrowNEON(_ *form, dst unsafe.Pointer, pitch, _ int, src *float32, lds, rows, cols int) {
	finishNEON((*float32)(dst), pitch/4, src, lds, rows, cols, nil, nil, 0)
}

func encodeNEON(_ *form, dst, src []byte, dt DType, _ int) { toF32NEON(float32s(dst), src, dt) }

// gateNEON computes what gateGeneric computes.
func gateNEON(c *float32, ld, rows, half int) {
	n := half &^ 3
	if n > 0 {
		gateQuads(c, at(c, half), ld, rows, n/4)
	}
	if n == half {
		return
	}
	for r := range rows {
		x := row(c, ld, r, 2*half)
		value, gate := quad(x[n:half]), quad(x[half+n:])
		gateQuads(&value[0], &gate[0], 4, 1, 1)
		copy(x[n:half], value[:])
	}
}

// sumsNEON computes what sumsGeneric computes, except that squares are not
// rounded before they are added.
func sumsNEON(sum, sq, ref, x []float32) {
	c := len(sum)
	if c == 0 || len(x) < c {
		return
	}
	rows, n := len(x)/c, c&^3
	if n > 0 {
		sumsQuads(&sum[0], &sq[0], &ref[0], &x[0], c, rows, n/4)
	}
	for i := n; i < c; i++ {
		s, q := sum[i], sq[i]
		for r := range rows {
			v := x[r*c+i] - ref[i]
			s += v
			q += v * v // fused, as in the quads
		}
		sum[i], sq[i] = s, q
	}
}

// affineNEON computes what affineGeneric computes, except that products are
// not rounded before they are added.
func affineNEON(dst, x, scale, shift []float32, silu bool) {
	c := len(scale)
	if c == 0 || len(x) < c {
		return
	}
	rows, n := len(x)/c, c&^3
	if n > 0 {
		affineQuads(&dst[0], &x[0], &scale[0], &shift[0], c, rows, n/4)
	}
	if n < c {
		s, b := quad(scale[n:]), quad(shift[n:])
		for r := n; r < rows*c; r += c {
			q := quad(x[r : r+c-n])
			affineQuads(&q[0], &q[0], &s[0], &b[0], 4, 1, 1)
			copy(dst[r:r+c-n], q[:])
		}
	}
	if silu {
		sigmoidNEON(dst[:rows*c], siluRate)
	}
}

// rescaleNEON computes what rescaleGeneric computes, except that products are
// not rounded before they are added.
func rescaleNEON(o, part, factor *float32, rows, width int) {
	if rows > 0 && width > 0 {
		rescaleBlocks(o, part, factor, rows, width/16)
	}
}

// toF32NEON computes what toF32Generic computes, except that a signaling NaN
// becomes quiet.
func toF32NEON(dst []float32, src []byte, dt DType) {
	n := len(dst) &^ 15
	_ = src[:len(dst)*dt.Size()]
	switch {
	case n == 0:
	case dt == F16:
		f16Blocks(&dst[0], &src[0], n/16)
	case dt == BF16:
		bf16Blocks(&dst[0], &src[0], n/16)
	default:
		n = 0
	}
	toF32Generic(dst[n:], src[n*dt.Size():], dt)
}

// sigmoidNEON computes what sigmoidGeneric computes. Where the exponential
// overflows, for SiLU below -88.7, the result is -0 instead of some -1e-37.
func sigmoidNEON(x []float32, rate float64) {
	n := len(x) &^ 3
	if n > 0 {
		sigmoidQuads(&x[0], n/4, float32(rate))
	}
	if n < len(x) {
		q := quad(x[n:])
		sigmoidQuads(&q[0], 1, float32(rate))
		copy(x[n:], q[:])
	}
}

// geluNEON computes what geluGeneric computes.
func geluNEON(x []float32) {
	n := len(x) &^ 3
	if n > 0 {
		geluQuads(&x[0], n/4)
	}
	if n < len(x) {
		q := quad(x[n:])
		geluQuads(&q[0], 1)
		copy(x[n:], q[:])
	}
}

// momentsNEON computes what momentsGeneric computes. Sixteen float32 sums run
// side by side, as the channels of sumsQuads; they meet in float64.
func momentsNEON(x []float32, ref float32) (sum, sq float64) {
	const lanes = 16
	var s, q, refs [lanes]float32
	for i := range refs {
		refs[i] = ref
	}
	n := len(x) / lanes * lanes
	sumsNEON(s[:], q[:], refs[:], x[:n])
	for i := range s {
		sum += float64(s[i])
		sq += float64(q[i])
	}
	for _, v := range x[n:] {
		d := float64(v - ref)
		sum += d
		sq += d * d
	}
	return sum, sq
}

// normalizeNEON computes what normalizeGeneric computes.
func normalizeNEON(dst, x, weight, bias []float32, ref float32, rest, inv float64) {
	shift := float32(-rest * inv)
	n := len(x) &^ 3
	if n > 0 {
		normalizeQuads(&dst[0], &x[0], &weight[0], &bias[0], n/4, ref, float32(inv), shift)
	}
	if n < len(x) {
		q, w, b := quad(x[n:]), quad(weight[n:]), quad(bias[n:])
		normalizeQuads(&q[0], &q[0], &w[0], &b[0], 1, ref, float32(inv), shift)
		copy(dst[n:len(x)], q[:])
	}
}

// hammingNEON computes what hammingGeneric computes.
func hammingNEON(dst []uint16, query, codes []uint64) {
	blocksOf(1, dst, query, codes, hammingCodes)
}

// runNEON computes what runF32 computes with mr = 6 and nr = 16, except that
// products are not rounded before they are added.
//
//go:noescape
func runNEON(s *strip)

// finishQuads computes what finishGeneric computes, bit for bit, on n quads of
// every row. ldr must be 0 if res is nil.
//
//go:noescape
func finishQuads(dst *float32, ldd int, src *float32, lds, rows, n int, bias, res *float32, ldr int)

// gateQuads computes what gateGeneric computes on n quads of every row, with
// the gates at gate instead of half a row after the values.
//
//go:noescape
func gateQuads(value, gate *float32, ld, rows, n int)

// sumsQuads computes what sumsNEON computes on n quads of every row of x. Rows
// are ld elements apart.
//
//go:noescape
func sumsQuads(sum, sq, ref, x *float32, ld, rows, n int)

// affineQuads computes what affineNEON computes, without SiLU, on n quads of
// every row. Rows are ld elements apart.
//
//go:noescape
func affineQuads(dst, x, scale, shift *float32, ld, rows, n int)

// rescaleBlocks computes what rescaleNEON computes on rows of n blocks of 16.
//
//go:noescape
func rescaleBlocks(o, part, factor *float32, rows, n int)

// f16Blocks and bf16Blocks compute what toF32NEON computes on n blocks of 16
// elements.
//
//go:noescape
func f16Blocks(dst *float32, src *byte, n int)

//go:noescape
func bf16Blocks(dst *float32, src *byte, n int)

// sigmoidQuads computes what sigmoidNEON computes, of n quads.
//
//go:noescape
func sigmoidQuads(x *float32, n int, rate float32)

// geluQuads computes what geluNEON computes, of n quads.
//
//go:noescape
func geluQuads(x *float32, n int)

// normalizeQuads: dst = ((x-ref)*inv + shift)*weight + bias, for n quads.
//
//go:noescape
func normalizeQuads(dst, x, weight, bias *float32, n int, ref, inv, shift float32)

// rowMaxBlocks returns the largest element of n blocks of 16, or NaN if one of
// them is NaN.
//
//go:noescape
func rowMaxBlocks(x *float32, n int) float32

// exp2SumQuads: dst = 2^(scale*x - top), for n quads. It returns the sum, of
// which each lane is taken in float64.
//
//go:noescape
func exp2SumQuads(dst, x *float32, n int, scale, top float32) float64

// hammingCodes computes what hammingGeneric computes, of n codes.
//
//go:noescape
func hammingCodes(dst *uint16, query, codes *uint64, words, n int)

// winogradInputNEON, winogradWeightsNEON and winogradOutputNEON compute what
// winogradGeneric computes, except that products are not rounded before they
// are added.
//
//go:noescape
func winogradInputNEON(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradWeightsNEON(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradOutputNEON(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)

// winogradUpInputNEON, winogradUpWeightsNEON and winogradUpOutputNEON compute
// what winogradUpGeneric computes, bit for bit.
//
//go:noescape
func winogradUpInputNEON(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradUpWeightsNEON(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

//go:noescape
func winogradUpOutputNEON(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
