package kernels

import "unsafe"

// A vec holds the loops over elements of one instruction set. Its methods tell
// the race detector what a loop reads and writes and then run it; the softmax,
// the layer norm and the activations, which are made of several loops, are in
// rows.go.
type vec struct{ loops }

// loops are the loops themselves. Pointers stand for matrices whose rows are a
// stated number of elements apart; the callers have checked that they fit.
type loops struct {
	// finish: dst[r][c] = src[r][c] + bias[c] + res[r][c]. bias and res may
	// be nil; dst may be src or res.
	finish func(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)

	// gate: c[r][j] *= GELU(c[r][half+j]) for j < half.
	gate func(c *float32, ld, rows, half int)

	// sums adds x[r][c]-ref[c] to sum[c], and its square to sq[c]. Rows have
	// len(sum) elements.
	sums func(sum, sq, ref, x []float32)

	// affine: dst[r][c] = x[r][c]*scale[c] + shift[c], followed by SiLU if
	// silu is set. Rows have len(scale) elements.
	affine func(dst, x, scale, shift []float32, silu bool)

	// rescale: o[r][c] = o[r][c]*factor[r] + part[r][c], for rows of width, a
	// multiple of 16.
	rescale func(o, part, factor *float32, rows, width int)

	// toF32 converts a checkpoint's elements.
	toF32 func(dst []float32, src []byte, dt DType)

	// hamming: dst[i] is the number of bits in which code i of codes differs
	// from query; see Hamming.
	hamming func(dst []uint16, query, codes []uint64)

	rowLoops

	// winograd are the transforms of F(4x4,3x3), and winogradUp those of
	// enlarging convolutions. If nil, these are direct.
	winograd, winogradUp *winogradLoops

	// transpose, transposeWords, interleave and sortTaps pack weights; see
	// gatherer. Any of them may be nil.
	//
	// transpose turns, in each step, 16 lines of 64 bytes, stride bytes apart
	// at src, into the columns of 16 lines, pitch bytes apart at dst: dword c
	// of line k is dword k of the line at src + c*stride. Steps are dstStep
	// bytes apart in dst.
	transpose func(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)

	// transposeWords does with 16 words of 16 lines what transpose does with
	// dwords: word c of line k is word k of the line at src + c*stride.
	transposeWords func(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)

	// interleave writes lines of 64 bytes: word 2c+p of line r is word c of
	// the row at src + (2r+p)*stride. Steps of 16 lines are dstStep bytes
	// apart in dst.
	interleave func(dst unsafe.Pointer, dstStep int, src unsafe.Pointer, stride, steps int)

	// sortTaps turns n rows of [32][9] words, stride bytes apart, into n times
	// [9][32].
	sortTaps func(dst, src unsafe.Pointer, stride, n int)
}

func (v *vec) finish(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int) {
	if raceEnabled {
		raceRead(unsafe.Pointer(src), 4*lds, rows, 4*cols)
		raceRead(unsafe.Pointer(bias), 0, 1, 4*cols)
		raceRead(unsafe.Pointer(res), 4*ldr, rows, 4*cols)
		raceWrite(unsafe.Pointer(dst), 4*ldd, rows, 4*cols)
	}
	v.loops.finish(dst, ldd, src, lds, rows, cols, bias, res, ldr)
}

func (v *vec) gate(c *float32, ld, rows, half int) {
	if raceEnabled {
		raceRead(unsafe.Pointer(c), 4*ld, rows, 8*half)
		raceWrite(unsafe.Pointer(c), 4*ld, rows, 4*half)
	}
	v.loops.gate(c, ld, rows, half)
}

func (v *vec) sums(sum, sq, ref, x []float32) {
	if raceEnabled {
		raceReadFloats(ref, x)
		raceWriteFloats(sum)
		raceWriteFloats(sq)
	}
	v.loops.sums(sum, sq, ref, x)
}

func (v *vec) affine(dst, x, scale, shift []float32, silu bool) {
	if raceEnabled {
		raceReadFloats(x, scale, shift)
		raceWriteFloats(dst)
	}
	v.loops.affine(dst, x, scale, shift, silu)
}

func (v *vec) rescale(o, part, factor *float32, rows, width int) {
	if raceEnabled {
		raceRead(unsafe.Pointer(part), 4*width, rows, 4*width)
		raceRead(unsafe.Pointer(factor), 0, 1, 4*rows)
		raceWrite(unsafe.Pointer(o), 4*width, rows, 4*width)
	}
	v.loops.rescale(o, part, factor, rows, width)
}

func (v *vec) toF32(dst []float32, src []byte, dt DType) {
	if raceEnabled {
		raceRead(unsafe.Pointer(unsafe.SliceData(src)), 0, 1, len(src))
		raceWriteFloats(dst)
	}
	v.loops.toF32(dst, src, dt)
}

func raceReadFloats(slices ...[]float32) {
	for _, x := range slices {
		raceRead(unsafe.Pointer(unsafe.SliceData(x)), 0, 1, 4*len(x))
	}
}

func raceWriteFloats(x []float32) {
	raceWrite(unsafe.Pointer(unsafe.SliceData(x)), 0, 1, 4*len(x))
}

// row returns row r, of cols elements, of a matrix at p whose rows are ld
// elements apart.
func row(p *float32, ld, r, cols int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), r*ld*4)), cols)
}
