//go:build !purego

package kernels

import (
	"math"
	"unsafe"
)

// vecNEON sees quads: four floats, one vector register. The assembly takes a
// number of them, at least 1; what is left of a row, one to three elements,
// goes through it in a quad of its own, so that an element's result does not
// depend on where in a row it stands.
var vecNEON = &vec{
	finish:       finishNEON,
	narrow:       narrowNEON,
	activate:     activateNEON,
	gate:         gateNEON,
	sums:         sumsNEON,
	affine:       affineNEON,
	layerNorm:    layerNormNEON,
	softmax:      softmaxNEON,
	rescale:      rescaleNEON,
	toF32:        toF32NEON,
	toBF16:       toBF16Generic, // no product takes bfloat16 here
	splitWeights: splitWeightsGeneric,
}

// quad returns up to four elements of x, filled up with zeros.
func quad(x []float32) (q [4]float32) {
	copy(q[:], x)
	return q
}

// at returns the address of element i after p.
func at(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

// finishQuads computes what finishGeneric computes, bit for bit, on n quads of
// every row.
//
// ldr is 0 where res is nil.
//
//go:noescape
func finishQuads(dst *float32, ldd int, src *float32, lds, rows, n int, bias, res *float32, ldr int)

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

func narrowNEON(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	if f != formF32 || pitch%4 != 0 {
		narrowGeneric(f, dst, pitch, planeBytes, src, lds, rows, cols)
		return
	}
	finishNEON((*float32)(dst), pitch/4, src, lds, rows, cols, nil, nil, 0)
}

// sumsQuads computes what sumsGeneric computes, on n quads of every row of x;
// rows are ld elements apart.
//
//go:noescape
func sumsQuads(sum, sq, ref, x *float32, ld, rows, n int)

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

// affineQuads computes what affineGeneric computes without SiLU, with a fused
// multiply-add, on n quads of every row; rows are ld elements apart.
//
//go:noescape
func affineQuads(dst, x, scale, shift *float32, ld, rows, n int)

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
		activateNEON(dst[:rows*c], SiLU)
	}
}

// normalizeQuads: dst = ((x-mean)*inv + shift)*weight + bias, n quads.
//
//go:noescape
func normalizeQuads(dst, x, weight, bias *float32, n int, mean, inv, shift float32)

// layerNormNEON computes what layerNormGeneric computes. A first pass finds
// the mean to about float32's precision; the second takes deviations from it,
// whose own mean corrects it: a large mean costs no digits of the variance.
func layerNormNEON(dst, x, weight, bias []float32, eps float32) {
	if len(x) == 0 {
		return
	}
	total, _ := deviations(x, 0)
	mean := float32(total / float64(len(x)))
	sum, sq := deviations(x, mean)
	rest := sum / float64(len(x))
	inv := 1 / math.Sqrt(max(sq/float64(len(x))-rest*rest, 0)+float64(eps))
	shift := float32(-rest * inv)
	n := len(x) &^ 3
	if n > 0 {
		normalizeQuads(&dst[0], &x[0], &weight[0], &bias[0], n/4, mean, float32(inv), shift)
	}
	if n < len(x) {
		q, w, b := quad(x[n:]), quad(weight[n:]), quad(bias[n:])
		normalizeQuads(&q[0], &q[0], &w[0], &b[0], 1, mean, float32(inv), shift)
		copy(dst[n:len(x)], q[:])
	}
}

// deviations returns the sums of x-ref and (x-ref)². Sixteen float32 sums run
// side by side, as the channels of sumsQuads; they meet in float64.
func deviations(x []float32, ref float32) (sum, sq float64) {
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

// rowMaxBlocks returns the largest of n blocks of 16, NaN if one of them is.
//
//go:noescape
func rowMaxBlocks(x *float32, n int) float32

// powersQuads: dst = 2^(scale*x - max), n quads, and returns the sum, each lane
// taken in float64.
//
//go:noescape
func powersQuads(dst, x *float32, n int, scale, max float32) float64

// softmaxNEON computes what softmaxGeneric computes. It leaves the scores as
// they are, and all of a row with a NaN becomes NaN.
func softmaxNEON(b *softmaxBlock) {
	if b.form != formF32 {
		softmaxGeneric(b)
		return
	}
	m, sum, factor := row(b.max, 0, 0, b.rows), row(b.sum, 0, 0, b.rows), row(b.factor, 0, 0, b.rows)
	for r := range b.rows {
		x := at(b.scores, r*b.ld/4)
		largest := max(m[r], rowMaxBlocks(x, b.cols/16)*b.scale)
		f := math.Exp2(float64(m[r]) - float64(largest))
		p := (*float32)(unsafe.Add(b.probs, r*b.pitch))
		sum[r] = float32(float64(sum[r])*f + powersQuads(p, x, b.cols/4, b.scale, largest))
		m[r], factor[r] = largest, float32(f)
	}
}

// rescaleBlocks computes what rescaleGeneric computes, with a fused
// multiply-add, on rows of n blocks of 16.
//
//go:noescape
func rescaleBlocks(o, part, factor *float32, rows, n int)

func rescaleNEON(o, part, factor *float32, rows, width int) {
	if rows > 0 && width > 0 {
		rescaleBlocks(o, part, factor, rows, width/16)
	}
}

// f16Blocks and bf16Blocks compute what toF32Generic computes, of n blocks of
// 16 elements, with the one difference that a signalling NaN becomes quiet.
//
//go:noescape
func f16Blocks(dst *float32, src *byte, n int)

//go:noescape
func bf16Blocks(dst *float32, src *byte, n int)

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
