package kernels

import (
	"math"
	"unsafe"
)

// rowLoops are the loops over one row that make up the softmax, the layer norm
// and the activations of every machine.
type rowLoops struct {
	// sigmoid: x = x / (1 + 2^(rate*x)).
	sigmoid func(x []float32, rate float64)

	// gelu: x = GELU(x).
	gelu func(x []float32)

	// moments returns the sums of x-ref and of (x-ref)².
	moments func(x []float32, ref float32) (sum, sq float64)

	// normalize: dst = (x - mean)*inv*weight + bias, where mean = ref + rest.
	normalize func(dst, x, weight, bias []float32, ref float32, rest, inv float64)

	// rowMax returns the largest element of a row whose length is a multiple
	// of 32. It may pass over NaNs or return one.
	rowMax func(x []float32) float32

	// exp2Sum: dst = 2^(x*scale - top), whose sum it returns, for a row whose
	// length is a multiple of 32. dst may be x.
	exp2Sum func(dst, x []float32, scale, top float32) float32
}

// activate applies act to every element of x. Sigmoids are of powers of two:
// the factor log2(e) costs nothing where there is a factor anyway.
func (v *vec) activate(x []float32, act Activation) {
	if raceEnabled {
		raceWriteFloats(x)
	}
	switch act {
	case Identity:
	case SiLU:
		v.sigmoid(x, siluRate)
	case GELU:
		v.gelu(x)
	case QuickGELU:
		v.sigmoid(x, 1.702*siluRate)
	case ReLU:
		relu(x)
	default:
		panic("kernels: unknown activation")
	}
}

// relu replaces negative elements by 0. A NaN stays one. The comparison of bits
// compiles to a conditional move: signs are as good as random, and a branch
// would be mispredicted half of the time.
func relu(x []float32) {
	const negative, infinite = 1 << 31, 0xff800000
	for i, v := range x {
		b := math.Float32bits(v)
		if b >= negative && b <= infinite {
			b = 0
		}
		x[i] = math.Float32frombits(b)
	}
}

// siluRate is the rate at which the loop sigmoid computes SiLU.
const siluRate = -math.Log2E

// layerNorm: dst = (x-mean)/sqrt(variance+eps)*weight + bias, for one row.
//
// A first pass finds the mean to about float32's precision. The second takes
// deviations from it, whose own mean corrects it, so that a large mean costs no
// digits of the variance and float32 sums are enough.
func (v *vec) layerNorm(dst, x, weight, bias []float32, eps float32) {
	if raceEnabled {
		raceReadFloats(x, weight, bias)
		raceWriteFloats(dst)
	}
	n := float64(len(x))
	total, _ := v.moments(x, 0)
	ref := float32(total / n)
	sum, sq := v.moments(x, ref)
	rest := sum / n
	variance := sq/n - rest*rest
	v.normalize(dst, x, weight, bias, ref, rest, 1/math.Sqrt(max(variance, 0)+float64(eps)))
}

// A softmaxBlock is one step of the online softmax on a block of scores, by
// powers of two. For every row,
//
//	max' = max(max, scale * the largest score)
//	factor = 2^(max-max')
//	sum' = sum*factor + the sum of 2^(scale*x - max')
//
// and these exponentials, narrowed, are the row's probabilities. The scores
// are overwritten. The assembly knows this layout.
//
// The maximum is rounded and the other scores' scale*x are not, so that exponents
// may be above 0 by 2^-24 of the largest score. Only damaged weights make scores of
// 2^30, from where on that is too much: then probabilities are infinite or NaNs.
type softmaxBlock struct {
	scores           *float32
	ld               int            // bytes between rows of scores
	probs            unsafe.Pointer // elements of form, in rows pitch bytes apart
	pitch            int
	rows, cols       int // cols is a multiple of 32
	max, sum, factor *float32
	scale            float32
	form             *form
	plane            int // bytes between planes of probs
}

// softmax turns a block of scores into probabilities.
func (v *vec) softmax(b *softmaxBlock) {
	if raceEnabled {
		b.race()
	}
	top, sum, factor := row(b.max, 0, 0, b.rows), row(b.sum, 0, 0, b.rows), row(b.factor, 0, 0, b.rows)
	for r := range b.rows {
		x := row(b.scores, b.ld/4, r, b.cols)
		p := x
		if b.form.plain {
			p = row((*float32)(b.probs), b.pitch/4, r, b.cols)
		}
		largest := max(top[r], v.rowMax(x)*b.scale)
		factor[r] = 1
		if largest != top[r] {
			factor[r] = float32(math.Exp2(float64(top[r] - largest)))
			top[r] = largest
		}
		sum[r] = float32(sum[r]*factor[r]) + v.exp2Sum(p, x, b.scale, largest)
	}
	if !b.form.plain {
		b.form.store(b.probs, b.pitch, b.plane, b.scores, b.ld/4, b.rows, b.cols)
	}
}

// race tells the race detector what a softmax reads and writes.
func (b *softmaxBlock) race() {
	raceWrite(unsafe.Pointer(b.scores), b.ld, b.rows, 4*b.cols)
	for p := range b.form.planes {
		raceWrite(unsafe.Add(b.probs, p*b.plane), b.pitch, b.rows, b.form.size*b.cols)
	}
	for _, x := range []*float32{b.max, b.sum, b.factor} {
		raceWrite(unsafe.Pointer(x), 0, 1, 4*b.rows)
	}
}
