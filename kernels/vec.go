package kernels

import "unsafe"

// A vec holds the loops over elements of one instruction set. Pointers stand
// for matrices whose rows are a stated number of elements apart; the callers
// have checked that they fit.
type vec struct {
	// finish: dst[r][c] = src[r][c] + bias[c] + res[r][c]. bias and res may
	// be nil; dst may be src or res. Strides are in elements.
	finish func(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)

	// narrow stores src[r][c] in form f at dst, rows pitch bytes apart,
	// planes planeBytes apart.
	narrow func(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int)

	// activate applies act to every element.
	activate func(x []float32, act Activation)

	// gate: c[r][j] *= GELU(c[r][half+j]) for j < half. ld in elements.
	gate func(c *float32, ld, rows, half int)

	// sums adds x[r][c]-ref[c] and its square to sum[c] and sq[c], over rows
	// of len(sum) channels.
	sums func(sum, sq, ref, x []float32)

	// affine: dst[r][c] = x[r][c]*scale[c] + shift[c], then SiLU if asked.
	// Rows have len(scale) channels.
	affine func(dst, x, scale, shift []float32, silu bool)

	// layerNorm: dst = (x-mean)/sqrt(var+eps)*weight + bias, of one row.
	layerNorm func(dst, x, weight, bias []float32, eps float32)

	// softmax turns a block of scores into probabilities; see softmaxBlock.
	softmax func(b *softmaxBlock)

	// rescale: o[r][c] = o[r][c]*factor[r] + part[r][c], for rows of width, a
	// multiple of 16.
	rescale func(o, part, factor *float32, rows, width int)

	// transpose and interleave pack whole steps of 16 columns (see gatherer);
	// both may be nil. transpose: in each step, dword c of line k/2 (or k) of
	// dst, pitch bytes apart, is dword k/2 (or k) of the line at src +
	// c*stride; lines of 64 bytes. interleave: word 2c+p of line r of dst is
	// word c of the row at src + (2r+p)*stride. Steps are dstStep bytes apart
	// in dst.
	transpose  func(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)
	interleave func(dst unsafe.Pointer, dstStep int, src unsafe.Pointer, stride, steps int)

	// sortTaps turns n rows of [32][9] words, stride bytes apart, into n times
	// [9][32]; it may be nil.
	sortTaps func(dst, src unsafe.Pointer, stride, n int)

	// toF32 and toBF16 convert a checkpoint's elements; splitWeights writes
	// them as planes of bfloat16, one plane after the other.
	toF32        func(dst []float32, src []byte, dt DType)
	toBF16       func(dst, src []byte, dt DType)
	splitWeights func(dst, src []byte, dt DType, planes int)
}

// A softmaxBlock is one step of the online softmax on a block of scores, by
// powers of two: for every row,
//
//	max' = max(max, scale * the row's largest)
//	factor = 2^(max-max'), sum' = sum*factor + the sum of 2^(scale*x - max')
//
// and these powers, narrowed, are the row's probabilities.
// The assembly knows this layout.
type softmaxBlock struct {
	scores           *float32
	ld               int            // bytes from a row of scores to the next
	probs            unsafe.Pointer // in form, rows pitch bytes apart
	pitch            int
	rows, cols       int // cols is a multiple of 32
	max, sum, factor *float32
	scale            float32
	form             form
	plane            int // bytes between planes of probs
}
