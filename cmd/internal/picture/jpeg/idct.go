package jpeg

import "math"

// natural is where the coefficients of a block, which are in zigzag order, stand
// in rows of 8 (figure A.6).
var natural = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// waves are the rows of the inverse transform (A.3.3) in units of 1 << waveBits:
// integers, so that every machine makes the same picture.
var waves = func() (w [8][8]int64) {
	for u := range w {
		scale := 0.5 * (1 << waveBits)
		if u == 0 {
			scale /= math.Sqrt2
		}
		for x := range w[u] {
			w[u][x] = int64(math.Round(scale * math.Cos(float64((2*x+1)*u)*math.Pi/16)))
		}
	}
	return w
}()

const waveBits = 14

// put transforms a block into the samples at column x and row y of blocks, as far
// as the plane has these.
func (p *plane) put(b *block, x, y int) {
	if x >= p.across || y >= p.down {
		return
	}
	var half, sum [8][8]int64 // rows, and both
	for k, v := range b {
		if v == 0 {
			continue
		}
		row, wave := &half[natural[k]/8], &waves[natural[k]%8]
		c := int64(v) * int64(p.quantTable[k])
		for i := range row {
			row[i] += c * wave[i]
		}
	}
	for v := range half {
		for j := range sum {
			for i := range sum[j] {
				sum[j][i] += half[v][i] * waves[v][j]
			}
		}
	}
	for j := range sum {
		pix := p.gray.Pix[(8*y+j)*p.gray.Stride+8*x:][:8]
		for i, v := range sum[j] {
			const one = 1 << (2 * waveBits)
			pix[i] = uint8(min(max((v+128*one+one/2)>>(2*waveBits), 0), 255))
		}
	}
}
