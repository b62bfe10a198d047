package iqa

import (
	"math"

	"github.com/coclico/coclico/nn"
)

// musiqSides are the longer sides of the smaller copies of a picture that MUSIQ
// sees beside the picture itself.
var musiqSides = [2]int{224, 384}

// patchSide is the side of a patch, and of the grid of positions.
const (
	patchSide = 32
	gridSide  = 10
)

// A scale is a copy of a picture, [h,w,3] in [-1,1] or a little beyond.
type scale struct {
	h, w int
	v    []float32
}

// newScales returns the smaller copies of a picture, and the picture.
func newScales(p *Picture) [3]scale {
	whole := scale{p.H, p.W, make([]float32, len(p.Pix))}
	centeredLevels().values(whole.v, p)
	s := [3]scale{2: whole}
	for i, side := range musiqSides {
		h, w := fit(p.H, p.W, side)
		s[i] = whole.resize(h, w)
	}
	return s
}

// fit returns the size of a picture of [h,w] whose longer side becomes side.
// The order of the operations is pyiqa's, and halves round to even: 768x420
// becomes 123 pixels wide at 224, although 122.5 is the exact quotient.
func fit(h, w, side int) (int, int) {
	ratio := float64(side) / float64(max(h, w))
	return int(math.RoundToEven(float64(h) * ratio)), int(math.RoundToEven(float64(w) * ratio))
}

// resize resizes by cubic convolution with a = -3/4 (align_corners=false,
// without antialiasing). The result is not clamped.
func (s scale) resize(h, w int) scale {
	r := scale{h, w, make([]float32, 3*h*w)}
	down, across := cubicTaps(s.h, h), cubicTaps(s.w, w)
	nn.Parallel(h, func(y int) {
		for x := range w {
			var sum [3]float64
			for i, row := range down[y].at {
				for j, col := range across[x].at {
					weight := down[y].weight[i] * across[x].weight[j]
					src := s.v[3*(row*s.w+col):][:3]
					for c := range sum {
						sum[c] += weight * float64(src[c])
					}
				}
			}
			for c := range sum {
				r.v[3*(y*w+x)+c] = float32(sum[c])
			}
		}
	})
	return r
}

// A cubicTap is four neighboring samples; the border's stand for those
// beyond it, and their weights.
type cubicTap struct {
	at     [4]int
	weight [4]float64
}

func cubicTaps(in, out int) []cubicTap {
	taps := make([]cubicTap, out)
	for i := range taps {
		at := (float64(i)+.5)*float64(in)/float64(out) - .5
		first := math.Floor(at)
		for k := range 4 {
			taps[i].at[k] = min(max(int(first)-1+k, 0), in-1)
			taps[i].weight[k] = cubic(math.Abs(at - first + 1 - float64(k)))
		}
	}
	return taps
}

// cubic is the kernel of Keys (1981) at distance d.
func cubic(d float64) float64 {
	const a = -.75
	if d <= 1 {
		return ((a+2)*d-(a+3))*d*d + 1
	}
	return ((d-5)*d+8)*d*a - 4*a
}

// grid returns the number of rows and columns of patches that cover s.
func (s scale) grid() (rows, columns int) {
	return (s.h + patchSide - 1) / patchSide, (s.w + patchSide - 1) / patchSide
}

// A token is a patch of a scale. Patches lie row by row.
type token struct {
	scale     int
	row, col  int
	firstY, x int // of its first pixel, which may lie outside of the picture
	position  int // of its cell in a grid of 10x10
}

// tokens returns the patches of all scales. A scale is padded to a multiple of
// the patch's side, half of it, rounded down, at the top and on the left.
func tokens(scales [3]scale) []token {
	var all []token
	for i, s := range scales {
		rows, columns := s.grid()
		top, left := (rows*patchSide-s.h)/2, (columns*patchSide-s.w)/2
		for r := range rows {
			for c := range columns {
				all = append(all, token{i, r, c, r*patchSide - top, c*patchSide - left, cell(r, rows)*gridSide + cell(c, columns)})
			}
		}
	}
	return all
}

// cell returns the cell, of 10, of patch i of n.
func cell(i, n int) int { return i * gridSide / n }

// copyPatch copies a patch to dst [32,32,3]. What lies outside of s is 0, which
// is gray.
func (s scale) copyPatch(dst []float32, t token) {
	clear(dst)
	from, to := max(t.x, 0), min(t.x+patchSide, s.w)
	for y := max(t.firstY, 0); y < min(t.firstY+patchSide, s.h); y++ {
		copy(dst[3*((y-t.firstY)*patchSide+from-t.x):], s.v[3*(y*s.w+from):3*(y*s.w+to)])
	}
}
