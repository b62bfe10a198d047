package evaluate

import "math"

// ThumbHash (Evan Wallace, 2023): cosine coefficients of luma, of yellow minus
// blue and of red minus green, in four bits each behind a header of five bytes
// (six with transparency, which pictures here do not have).

// thumbSide is the side of the picture that is analyzed. ThumbHash allows 100.
const thumbSide = 100

// The numbers of cosines a side of a square picture.
const (
	thumbLuma   = 7
	thumbChroma = 3
)

// A channel is a plane as cosines.
type channel struct {
	dc, scale float64
	ac        []float64 // in [0, 1], in thumbOrder
}

// thumbOrder calls f for the coefficients besides the mean: a triangle.
func thumbOrder(n int, f func(x, y int)) {
	for y := range n {
		for x := range n - y {
			if x+y > 0 {
				f(x, y)
			}
		}
	}
}

// basis returns cosine k at the middle of each of n samples.
func basis(k, n int) []float64 {
	b := make([]float64, n)
	for i := range b {
		b[i] = math.Cos(math.Pi / float64(n) * float64(k) * (float64(i) + 0.5))
	}
	return b
}

func analyze(plane []float64, side, n int) (c channel) {
	at := func(x, y int) (sum float64) {
		across, down := basis(x, side), basis(y, side)
		for i, v := range plane {
			sum += v * across[i%side] * down[i/side]
		}
		return sum / float64(len(plane))
	}
	c.dc = at(0, 0)
	thumbOrder(n, func(x, y int) {
		v := at(x, y)
		c.ac = append(c.ac, v)
		c.scale = max(c.scale, math.Abs(v))
	})
	for i, v := range c.ac {
		if c.scale > 0 {
			c.ac[i] = 0.5 + 0.5/c.scale*v
		}
	}
	return c
}

// thumbHash returns the hash of a square picture of at most 100 pixels.
func thumbHash(p *Picture) []byte {
	n := p.Side * p.Side
	l, yb, rg := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		r, g, b := float64(p.RGB[3*i])/255, float64(p.RGB[3*i+1])/255, float64(p.RGB[3*i+2])/255
		l[i], yb[i], rg[i] = (r+g+b)/3, (r+g)/2-b, r-g
	}
	luma, p1, p2 := analyze(l, p.Side, thumbLuma), analyze(yb, p.Side, thumbChroma), analyze(rg, p.Side, thumbChroma)
	level := func(v float64, most int) int { return int(math.Floor(float64(most)*v + 0.5)) }
	header := level(luma.dc, 63) | level(0.5+0.5*p1.dc, 63)<<6 | level(0.5+0.5*p2.dc, 63)<<12 | level(luma.scale, 31)<<18
	shape := thumbLuma | level(p1.scale, 63)<<3 | level(p2.scale, 63)<<9
	hash := []byte{byte(header), byte(header >> 8), byte(header >> 16), byte(shape), byte(shape >> 8)}
	half := false
	for _, c := range []channel{luma, p1, p2} {
		for _, v := range c.ac {
			k := byte(level(v, 15))
			if half {
				hash[len(hash)-1] |= k << 4
			} else {
				hash = append(hash, k)
			}
			half = !half
		}
	}
	return hash
}

// thumbPicture returns the picture of a hash that thumbHash made, at 32 x 32
// pixels.
func thumbPicture(hash []byte) *Picture {
	const side = 32
	header := int(hash[0]) | int(hash[1])<<8 | int(hash[2])<<16
	shape := int(hash[3]) | int(hash[4])<<8
	luma := channel{dc: float64(header&63) / 63, scale: float64(header>>18&31) / 31}
	// Chroma is enlarged by a quarter, against the loss of rounding.
	p1 := channel{dc: float64(header>>6&63)/31.5 - 1, scale: 1.25 * float64(shape>>3&63) / 63}
	p2 := channel{dc: float64(header>>12&63)/31.5 - 1, scale: 1.25 * float64(shape>>9&63) / 63}
	at := 0
	read := func(c channel, n int) []float64 {
		plane := make([]float64, side*side)
		for i := range plane {
			plane[i] = c.dc
		}
		thumbOrder(n, func(x, y int) {
			k := hash[5+at/2] >> (at % 2 * 4) & 15
			at++
			f := (float64(k)/7.5 - 1) * c.scale * 2
			across, down := basis(x, side), basis(y, side)
			for i := range plane {
				plane[i] += f * across[i%side] * down[i/side]
			}
		})
		return plane
	}
	l, yb, rg := read(luma, thumbLuma), read(p1, thumbChroma), read(p2, thumbChroma)
	p := &Picture{side, make([]byte, side*side*3)}
	for i := range l {
		b := l[i] - 2.0/3*yb[i]
		r := (3*l[i] - b + rg[i]) / 2
		g := r - rg[i]
		for c, v := range []float64{r, g, b} {
			p.RGB[3*i+c] = byte(255 * min(max(v, 0), 1))
		}
	}
	return p
}
