package quant

import "math"

// ScoreSide is the side of the maps that color scores compare, as in the paper.
const ScoreSide = 32

// Score returns the mean square difference of two pictures, RGB in [0, 1]. Two
// measures are made of it, of pictures reduced to ScoreSide x ScoreSide: the
// paper's color score if [Interpolate] reduced them, and the area color score if
// [Average] did. The two are not to be compared: the latter leaves out what is
// finer than a sample, and is lower by a fifth to a third on the README's photos.
// Score panics if the pictures have different sizes.
func Score(x, y []float32) float64 {
	if len(x) != len(y) {
		panic("quant: pictures of different sizes")
	}
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += float64(d * d)
	}
	return sum / float64(len(x))
}

// Cosine returns the cosine of the angle between two vectors. It panics if they
// have different lengths.
func Cosine(x, y []float32) float64 {
	if len(x) != len(y) {
		panic("quant: vectors of different lengths")
	}
	var xy, xx, yy float64
	for i := range x {
		a, b := float64(x[i]), float64(y[i])
		xy, xx, yy = xy+float64(a*b), xx+float64(a*a), yy+float64(b*b)
	}
	return xy / math.Sqrt(xx*yy)
}
