package iqa

import (
	"fmt"

	"github.com/coclico/coclico/nn"
)

// A Picture is 8-bit RGB: Pix has W*H*3 bytes, row by row.
type Picture struct {
	W, H int
	Pix  []byte
}

// MaxPixels bounds a picture. VGG16 and its like take up to 850 bytes of memory
// for each pixel, and the time of MUSIQ's attention grows with the square of
// their number.
const MaxPixels = 4 << 20

// A SizeError names a size of pictures that a metric cannot rate.
type SizeError string

func (e SizeError) Error() string { return string(e) }

func sizeErrorf(format string, args ...any) error { return SizeError(fmt.Sprintf(format, args...)) }

// check returns an error unless p has a size that a metric takes.
func (p *Picture) check(minSide int) error {
	p.mustFit()
	switch {
	case min(p.W, p.H) < minSide:
		return sizeErrorf("a picture of %dx%d is too small: both sides must have at least %d pixels", p.W, p.H, minSide)
	case p.W*p.H > MaxPixels:
		return sizeErrorf("a picture of %dx%d is too large: at most %d pixels are rated", p.W, p.H, MaxPixels)
	}
	return nil
}

func (p *Picture) mustFit() {
	if p.W < 1 || p.H < 1 || len(p.Pix) != 3*p.W*p.H {
		panic("iqa: a picture's pixels do not fit its size")
	}
}

const errSizes = SizeError("the picture and its reference differ in size")

// levels are the 256 values of each channel as a network's input.
type levels [3][256]float32

func newLevels(mean, std [3]float64) *levels {
	t := new(levels)
	for c := range t {
		for v := range t[c] {
			t[c][v] = float32((float64(v)/255 - mean[c]) / std[c])
		}
	}
	return t
}

// imageNetLevels normalizes by the moments of ImageNet, which DBCNN, LPIPS and
// DISTS expect. LPIPS' own constants, for pixels in [-1,1], are the same:
// (2p-1+.03)/.458 = (p-.485)/.229, and so on.
func imageNetLevels() *levels {
	return newLevels([3]float64{.485, .456, .406}, [3]float64{.229, .224, .225})
}

// unitLevels maps to [0,1].
func unitLevels() *levels { return newLevels([3]float64{}, [3]float64{1, 1, 1}) }

// centeredLevels maps to [-1,1].
func centeredLevels() *levels { return newLevels([3]float64{.5, .5, .5}, [3]float64{.5, .5, .5}) }

// values returns the picture as [H,W,3].
func (t *levels) values(dst []float32, p *Picture) {
	for i := 0; i+2 < len(p.Pix); i += 3 {
		dst[i], dst[i+1], dst[i+2] = t[0][p.Pix[i]], t[1][p.Pix[i+1]], t[2][p.Pix[i+2]]
	}
}

// tensor returns the picture as [1,H,W,3].
func (t *levels) tensor(ws *nn.Workspace, p *Picture) *nn.Tensor {
	x := ws.Get(1, p.H, p.W, 3)
	t.values(x.Data, p)
	return x
}
