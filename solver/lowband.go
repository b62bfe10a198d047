package solver

import "math"

// A LowBand is the orthogonal projection P of latents onto their lowest
// frequencies: the first n x n coefficients of the discrete cosine transform of
// each channel. See the package comment for its use. It is not safe for
// concurrent use.
type LowBand struct {
	h, w, c, n int
	down       []float32 // orthonormal DCT-II over the height [n, h]
	across     []float32 // and over the width [n, w]
	lines      []float32 // [n, w, c]
	band       []float32 // [n, n, c]
}

// NewLowBand returns the projection for latents [h, w, c]. n is limited to h and
// w.
func NewLowBand(h, w, c, n int) *LowBand {
	if h < 1 || w < 1 || c < 1 || n < 1 {
		panic("solver: empty low band")
	}
	n = min(n, h, w)
	return &LowBand{h: h, w: w, c: c, n: n, down: cosines(n, h), across: cosines(n, w), lines: make([]float32, n*w*c), band: make([]float32, n*n*c)}
}

// cosines returns the first n rows of the orthonormal DCT-II of so many samples.
func cosines(n, samples int) []float32 {
	d := make([]float32, 0, n*samples)
	for i := range n {
		scale := math.Sqrt(2 / float64(samples))
		if i == 0 {
			scale = math.Sqrt(1 / float64(samples))
		}
		for j := range samples {
			d = append(d, float32(scale*math.Cos(math.Pi*float64(i)*(float64(j)+0.5)/float64(samples))))
		}
	}
	return d
}

// Fade returns the weight of color guidance in one of so many steps, counted
// from 0: w in the first, linearly less, and w/8 in the last.
func Fade(w float64, step, steps int) float64 {
	if step < 0 || step >= steps {
		panic("solver: step outside 0 to steps")
	}
	if steps == 1 {
		return w
	}
	return w * (1 - 7./8*float64(step)/float64(steps-1))
}

// Pull moves x towards target within the band: x += weight P (target - x).
func (b *LowBand) Pull(x, target []float32, weight float32) {
	if len(x) != b.h*b.w*b.c || len(target) != len(x) {
		panic("solver: latents of another shape")
	}
	row := b.w * b.c
	clear(b.lines)
	for i := range b.n { // over the height
		line := b.lines[i*row:][:row]
		for y := range b.h {
			d := b.down[i*b.h+y]
			for j := range line {
				line[j] += float32(d * (target[y*row+j] - x[y*row+j]))
			}
		}
	}
	clear(b.band)
	for i := range b.n { // and the width
		for k := range b.n {
			sum := b.band[(i*b.n+k)*b.c:][:b.c]
			for j := range b.w {
				d := b.across[k*b.w+j]
				for c := range sum {
					sum[c] += float32(d * b.lines[i*row+j*b.c+c])
				}
			}
		}
	}
	clear(b.lines)
	for i := range b.n { // back over the width
		for k := range b.n {
			for j := range b.w {
				d := b.across[k*b.w+j]
				for c := range b.c {
					b.lines[i*row+j*b.c+c] += float32(d * b.band[(i*b.n+k)*b.c+c])
				}
			}
		}
	}
	for i := range b.n { // and the height
		for y := range b.h {
			d := weight * b.down[i*b.h+y]
			for j := range row {
				x[y*row+j] += float32(d * b.lines[i*row+j])
			}
		}
	}
}
