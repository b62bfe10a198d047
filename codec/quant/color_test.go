package quant

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

// TestCodedBits: a file has its header, what its map takes, and at most eight bits
// of a vector, its range, and what is lost at the end.
func TestCodedBits(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	for _, profile := range []format.Profile{format.Paper, format.Tuned} {
		h := format.NewHeader(8).WithProfile(profile)
		h.MapSize, h.ColorBits = 32, 4
		c := plainMap(h.MapSize, 7)
		for i := range c.Y[:512] { // so many that they are still not stored
			c.Y[i] = uint8(rng.Intn(1 << h.ColorBits))
		}
		prior := format.Prior{Moments: make([]format.Moment, h.Dimensions)}
		data := format.Marshal(h, format.Symbols{Vector: make([]uint16, h.Dimensions), ColorMap: c}, prior)
		got, rest := CodedBits(c, profile, h.MapSize, h.ColorBits), float64(8*len(data)-h.HeaderBits())
		if got < 1000 || math.Abs(rest-got) > 40 {
			t.Errorf("%v: %v bits, the file has %v besides its header", profile, got, rest)
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

// TestNeutralCode: the code of neutral stands for 0.5 exactly, in every range,
// so that a pixel of it is gray to the last bit.
func TestNeutralCode(t *testing.T) {
	const n = 2
	for bits := 2; bits <= format.MaxColorBits; bits++ {
		for chroma := range uint8(1 << format.RangeBits) {
			for luma := range 1 << bits {
				c := plainMap(n, uint8(1<<(bits-1)-1))
				c.Y[0] = uint8(luma)
				px := DequantizeTunedColor(c, format.Range{Low: 1, High: 2, Chroma: chroma}, n, bits)[:3]
				if px[0] != px[1] || px[1] != px[2] {
					t.Fatalf("%d bits, chroma %d: luma %d is %v", bits, chroma, luma, px)
				}
			}
		}
	}
}

// TestChromaRange: the range of chroma is that of the nearest map in RGB, where an
// error of U counts more than one of V. The 2 % are what the errors of both
// happen to have in common.
func TestChromaRange(t *testing.T) {
	const n, bits = 64, 2
	rng := rand.New(rand.NewSource(6))
	plane := func(size int, spread float64) []float32 {
		x := make([]float32, size)
		for i := range x {
			x[i] = float32(0.5 + spread*(2*rng.Float64()-1))
		}
		return x
	}
	for range 50 {
		m := Planes{Y: plane(n*n, 0.02), U: plane(n*n/4, 0.25*rng.Float64()), V: plane(n*n/4, 0.25*rng.Float64())}
		want := m.RGB(n)
		_, got := QuantizeTunedColor(m, bits)
		var scores []float64
		for chroma := range uint8(1 << format.RangeBits) {
			r := got
			r.Chroma = chroma
			scores = append(scores, Score(DequantizeTunedColor(tunedCodes(m, r, bits), r, n, bits), want))
		}
		if least := slices.Min(scores); scores[got.Chroma] > 1.02*least {
			t.Errorf("range %d with an error of %.4g, the least is %.4g", got.Chroma, scores[got.Chroma], least)
		}
	}
}
