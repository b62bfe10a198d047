package iqa

import (
	"math"

	"github.com/coclico/coclico/nn"
)

// maxPool returns the largest values of the first [h,w] windows of size x size
// at stride 2: [N,h,w,C]. Windows end at the border. It consumes x, which must
// not be negative, so that its bits are in the order of its values.
func maxPool(ws *nn.Workspace, x *nn.Tensor, size, h, w int) *nn.Tensor {
	y := ws.Get(x.N, h, w, x.C)
	nn.Parallel(y.N*h, func(i int) {
		n, oy := i/h, i%h
		for ox := range w {
			dst := y.Data[(i*w+ox)*x.C:][:x.C]
			for iy := 2 * oy; iy < min(2*oy+size, x.H); iy++ {
				for ix := 2 * ox; ix < min(2*ox+size, x.W); ix++ {
					src := x.Data[((n*x.H+iy)*x.W+ix)*x.C:][:x.C]
					if iy == 2*oy && ix == 2*ox {
						copy(dst, src)
						continue
					}
					for c, v := range src {
						dst[c] = math.Float32frombits(max(math.Float32bits(dst[c]), math.Float32bits(v)))
					}
				}
			}
		}
	})
	ws.Put(x)
	return y
}

// halve is VGG16's max-pool: 2x2, rounding down.
func halve(ws *nn.Workspace, x *nn.Tensor) *nn.Tensor { return maxPool(ws, x, 2, x.H/2, x.W/2) }

// l2Pool is DISTS' pooling: the root of a weighted mean of squares under a 3x3
// Hann window at stride 2, rounding up. Outside of x are zeros. It consumes x.
func l2Pool(ws *nn.Workspace, x *nn.Tensor) *nn.Tensor {
	h, w, c := (x.H+1)/2, (x.W+1)/2, x.C
	y := ws.Get(x.N, h, w, c)
	const rows = 8 // that share a buffer
	bands := (h + rows - 1) / rows
	nn.Parallel(x.N*bands, func(i int) {
		sums := make([]float32, (x.W+2)*c) // of a column's squares, with a zero column on both sides
		n, first := i/bands, i%bands*rows
		for oy := first; oy < min(first+rows, h); oy++ {
			clear(sums)
			for k, weight := range [3]float32{1. / 16, 2. / 16, 1. / 16} {
				if iy := 2*oy - 1 + k; iy >= 0 && iy < x.H {
					addSquares(sums[c:], x.Data[(n*x.H+iy)*x.W*c:][:x.W*c], weight)
				}
			}
			dst := y.Data[(n*h+oy)*w*c:][:w*c]
			for ox := range w {
				at := 2 * ox * c
				left, mid, right := sums[at:][:c], sums[at+c:][:c], sums[min(at+2*c, len(sums)-c):][:c]
				for j := range c {
					dst[ox*c+j] = float32(math.Sqrt(float64(left[j] + 2*mid[j] + right[j] + 1e-12)))
				}
			}
		}
	})
	ws.Put(x)
	return y
}

func addSquares(sums, x []float32, weight float32) {
	for i, v := range x {
		sums[i] += weight * v * v
	}
}

// resizeCorners resizes x bilinearly so that the corners' pixels keep their
// places (align_corners=True). It consumes x.
func resizeCorners(ws *nn.Workspace, x *nn.Tensor, h, w int) *nn.Tensor {
	if x.H == h && x.W == w {
		return x
	}
	y := ws.Get(x.N, h, w, x.C)
	down, across := cornerTaps(x.H, h), cornerTaps(x.W, w)
	nn.Parallel(x.N*h, func(i int) {
		n, v := i/h, down[i%h]
		at := func(iy, ix int) []float32 { return x.Data[((n*x.H+iy)*x.W+ix)*x.C:][:x.C] }
		for ox, u := range across {
			dst := y.Data[(i*w+ox)*x.C:][:x.C]
			a, b := at(v.first, u.first), at(v.first, u.second)
			c, d := at(v.second, u.first), at(v.second, u.second)
			for j := range dst {
				top := float64(a[j])*(1-u.weight) + float64(b[j])*u.weight
				bottom := float64(c[j])*(1-u.weight) + float64(d[j])*u.weight
				dst[j] = float32(top*(1-v.weight) + bottom*v.weight)
			}
		}
	})
	ws.Put(x)
	return y
}

// A tap is two neighboring samples and the weight of the second.
type tap struct {
	first, second int
	weight        float64
}

func cornerTaps(in, out int) []tap {
	taps := make([]tap, out)
	for i := range taps {
		at := 0.
		if out > 1 {
			at = float64(i) * float64(in-1) / float64(out-1)
		}
		first := min(int(at), in-1)
		taps[i] = tap{first, min(first+1, in-1), at - float64(first)}
	}
	return taps
}
