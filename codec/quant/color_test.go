package quant

import (
	"math"
	"math/rand"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

// TestCodedBits: a file grows by what its map takes.
func TestCodedBits(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	for _, profile := range []format.Profile{format.Paper, format.Tuned} {
		h := format.NewHeader(8).WithProfile(profile)
		h.MapSize, h.ColorBits = 32, 4
		plain, noisy := plainMap(h.MapSize, 7), plainMap(h.MapSize, 7)
		for i := range noisy.Y[:512] { // so many that they are still not stored
			noisy.Y[i] = uint8(rng.Intn(1 << h.ColorBits))
		}
		prior := format.Prior{Moments: make([]format.Moment, h.Dimensions)}
		size := func(c format.ColorMap) float64 {
			return float64(8 * len(format.Marshal(h, format.Symbols{Vector: make([]uint16, h.Dimensions), ColorMap: c}, prior)))
		}
		got := CodedBits(noisy, profile, h.MapSize, h.ColorBits) - CodedBits(plain, profile, h.MapSize, h.ColorBits)
		if want := size(noisy) - size(plain); math.Abs(got-want) > 16 || want < 1000 {
			t.Errorf("%v: %v bits more, the file has %v", profile, got, want)
		}
	}
}

// plainMap returns an n x n map of one code.
func plainMap(n int, code uint8) format.ColorMap {
	c := format.ColorMap{Y: make([]uint8, n*n), U: make([]uint8, n*n/4), V: make([]uint8, n*n/4)}
	for _, plane := range [][]uint8{c.Y, c.U, c.V} {
		for i := range plane {
			plane[i] = code
		}
	}
	return c
}
