package format

// A Shape is that of the picture: 0 is the center square; s from 1 to 63 the
// whole picture, whose width is 2^((s-32)/12) times its height. From 1/6 to 6 no
// shape is further than 3 % from one of these: an octave has twelve steps, and
// 4:3, 3:2 and 16:9 are nearly five, seven and ten of them.
type Shape uint8

// maxShape is the last one, of nearly 6:1.
const maxShape = 63

// twelfths holds 2^(-i/12) in 1/65536.
var twelfths = [12]int64{65536, 61858, 58386, 55109, 52016, 49097, 46341, 43740, 41285, 38968, 36781, 34716}

// ratio returns 2^(-i/12) in 1/65536.
func ratio(i int) int64 { return twelfths[i%12] >> (i / 12) }

// ShapeOf returns the shape nearest to that of a picture of w x h pixels. It
// returns an [UnsupportedError] if one side is more than 6 times the other.
func ShapeOf(w, h int) (Shape, error) {
	long, short := int64(max(w, h)), int64(min(w, h))
	if short < 1 || long > 6*short {
		return 0, errShape
	}
	// The nearest step in the logarithm: short/long is above the geometric mean
	// of the step and the next one, 2^(-1/24) of it.
	const halfStep = 63671 // 2^(-1/24) in 1/65536
	i := 0
	for i < 31 && short<<16 < long*(ratio(i)*halfStep>>16) {
		i++
	}
	if w < h {
		i = -i
	}
	return Shape(32 + i), nil
}

// Size returns the width and height of a picture whose long side is size, the
// other a whole number of units, at least one. size is such a number itself.
func (s Shape) Size(size, unit int) (w, h int) {
	i := int(s) - 32
	if s == 0 {
		i = 0
	}
	units := (int64(size)*ratio(max(i, -i))/int64(unit) + 1<<15) >> 16 // to the nearest
	short := max(int(units), 1) * unit
	if i < 0 {
		return short, size
	}
	return size, short
}
