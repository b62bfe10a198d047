package stream

import (
	"math"
	"testing"
)

// TestColourOfPlainPictures: a picture of one colour comes back as that colour within half a level of each of Y, U and V,
// at every size, every number of bits and from every shape of picture.
func TestColourOfPlainPictures(t *testing.T) {
	for _, c := range [][3]byte{{0, 0, 0}, {255, 255, 255}, {255, 0, 0}, {0, 0, 255}, {12, 200, 99}} {
		for n := 2; n <= MaxMapSize; n += 6 {
			for bits := 1; bits <= MaxColourBits; bits++ {
				for _, shape := range [][2]int{{1, 1}, {3, 17}, {40, 20}} {
					rgb := make([]byte, 0, shape[0]*shape[1]*3)
					for range shape[0] * shape[1] {
						rgb = append(rgb, c[:]...)
					}
					half := 0.5/float64(int(1)<<bits) + 1e-6
					bound := half * (1 + 2*1.772) // of G, the worst: (dY + .299 dR + .114 dB)/.587 is less
					for _, antialias := range []bool{false, true} {
						m := DequantiseColour(QuantiseColour(rgb, shape[0], shape[1], n, bits, antialias), n, bits)
						for i, v := range m {
							if d := math.Abs(float64(v) - float64(c[i%3])/255); d > bound {
								t.Fatalf("%v, n %d, %d bits, %v: channel %d is %v", c, n, bits, shape, i%3, v)
							}
						}
					}
				}
			}
		}
	}
}

func TestUpsample(t *testing.T) {
	// Two by two, red from 0 to 1 across and green down; blue is outside [0, 1].
	m := []float32{0, 0, 2, 1, 0, 2, 0, 1, -2, 1, 1, -2}
	up := Upsample(m, 2, 4, 6)
	across, down := []float32{0, 0.25, 0.75, 1}, []float32{0, 0, 1. / 3, 2. / 3, 1, 1}
	for y := range 6 {
		for x := range 4 {
			px := up[(y*4+x)*3:][:3]
			blue := min(max(2-4*down[y], 0), 1)
			for c, want := range []float32{across[x], down[y], blue} {
				if math.Abs(float64(px[c]-want)) > 1e-6 {
					t.Errorf("channel %d of (%d, %d) is %v, want %v", c, x, y, px[c], want)
				}
			}
		}
	}
	same := Upsample(m, 2, 2, 2)
	for i, v := range same {
		if v != clamp(m[i]) {
			t.Errorf("at its own size sample %d is %v, want %v", i, v, clamp(m[i]))
		}
	}
}
