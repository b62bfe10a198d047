package iqa

import (
	"context"
	"math"

	"github.com/coclico/coclico/nn"
)

// psnr returns the peak signal-to-noise ratio in dB, of the mean square over
// all three channels; +Inf for equal pictures.
func psnr(_ context.Context, _ *nn.Workspace, p, q *Picture) (float64, error) {
	var sum int64
	for i, v := range p.Pix {
		d := int(v) - int(q.Pix[i])
		sum += int64(d * d)
	}
	return 10 * math.Log10(255*255*float64(len(p.Pix))/float64(sum)), nil
}

// msssimSide is the least side: halved four times, it has 11 pixels.
const msssimSide = 161

const (
	msssimC1 = (.01 * 255) * (.01 * 255)
	msssimC2 = (.03 * 255) * (.03 * 255)
)

var msssimWeights = [5]float64{.0448, .2856, .3001, .2363, .1333}

// msssim returns the multi-scale structural similarity of Wang, Simoncelli and
// Bovik (Asilomar 2003) on R, G and B, as pytorch-msssim computes it: five
// levels, a Gaussian window of 11x11 without padding, and means of 2x2 pixels
// between the levels. A side of odd length gets a zero before its first pixel,
// which counts as a pixel; other implementations repeat the last pixel, and all
// agree on sides that are multiples of 16.
func msssim(ctx context.Context, _ *nn.Workspace, p, q *Picture) (float64, error) {
	var x, y [3]plane
	for c := range 3 {
		x[c], y[c] = newPlane(p, c), newPlane(q, c)
	}
	scores := [3]float64{1, 1, 1}
	for level, weight := range msssimWeights {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		nn.Parallel(3, func(c int) {
			mean := similarity(x[c], y[c], level == len(msssimWeights)-1)
			scores[c] *= math.Pow(max(mean, 0), weight)
			x[c], y[c] = x[c].halve(), y[c].halve()
		})
	}
	return (scores[0] + scores[1] + scores[2]) / 3, nil
}

// similarity returns the mean similarity of contrast and structure, and of
// luminance too if that is asked for.
func similarity(x, y plane, luminance bool) float64 {
	window := gaussian()
	mx, my := x.blur(window), y.blur(window)
	xx, yy, xy := x.times(x).blur(window), y.times(y).blur(window), x.times(y).blur(window)
	sum := 0.
	for i, a := range mx.v {
		b := my.v[i]
		s := (2*(xy.v[i]-a*b) + msssimC2) / (xx.v[i] - a*a + yy.v[i] - b*b + msssimC2)
		if luminance {
			s *= (2*a*b + msssimC1) / (a*a + b*b + msssimC1)
		}
		sum += s
	}
	return sum / float64(len(mx.v))
}

// gaussian returns the window's weights along one side.
func gaussian() (w [11]float64) {
	sum := 0.
	for i := range w {
		d := float64(i - len(w)/2)
		w[i] = math.Exp(-d * d / (2 * 1.5 * 1.5))
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// A plane is one channel of a picture.
type plane struct {
	w, h int
	v    []float64
}

func newPlane(p *Picture, c int) plane {
	x := plane{p.W, p.H, make([]float64, p.W*p.H)}
	for i := range x.v {
		x.v[i] = float64(p.Pix[3*i+c])
	}
	return x
}

func (x plane) times(y plane) plane {
	z := plane{x.w, x.h, make([]float64, len(x.v))}
	for i, v := range x.v {
		z.v[i] = v * y.v[i]
	}
	return z
}

// blur returns the weighted means of the windows that lie within x.
func (x plane) blur(window [11]float64) plane {
	w, h := x.w-len(window)+1, x.h-len(window)+1
	z := plane{w, h, make([]float64, w*h)}
	column := make([]float64, x.w)
	for r := range h {
		clear(column)
		for k, g := range window {
			for i, v := range x.v[(r+k)*x.w : (r+k+1)*x.w] {
				column[i] += g * v
			}
		}
		dst := z.v[r*w : (r+1)*w]
		for k, g := range window {
			for i, v := range column[k : k+w] {
				dst[i] += g * v
			}
		}
	}
	return z
}

// halve returns the means of 2x2 pixels.
func (x plane) halve() plane {
	w, h := (x.w+1)/2, (x.h+1)/2
	z := plane{w, h, make([]float64, w*h)}
	oddX, oddY := x.w%2, x.h%2
	for i, v := range x.v {
		z.v[(i/x.w+oddY)/2*w+(i%x.w+oddX)/2] += v / 4
	}
	return z
}
