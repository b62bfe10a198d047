package codec

import (
	"context"
	"errors"
	"math"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

// A tuner makes the file of one picture in the tuned profile.
type tuner struct {
	h               format.Header
	prior           format.Prior
	mean, deviation []float32 // of the vector's dimensions, as the file has them
	vector          []float32
	thumbnails
}

func newTuner(h format.Header, prior format.Prior, small thumbnails, vector []float32) *tuner {
	t := &tuner{h: h, prior: prior, vector: vector, thumbnails: small}
	t.h.Spread = 1 // the model's own deviations
	t.mean, t.deviation = quant.Moments(t.h, prior)
	t.h.Spread = quant.NearestSpread(vector, t.mean, t.deviation)
	t.mean, t.deviation = quant.Moments(t.h, prior)
	return t
}

// color sets the header's color map and range, and returns the codes.
func (t *tuner) color(n, bits int) format.ColorMap {
	t.h.MapSize, t.h.ColorBits = n, bits
	c, r := quant.QuantizeTunedColor(t.planes[n], bits)
	t.h.Range = r
	return c
}

// file returns the file with the header's parameters.
func (t *tuner) file() ([]byte, error) {
	s := format.Symbols{Vector: make([]uint16, len(t.vector)), ColorMap: t.color(t.h.MapSize, t.h.ColorBits)}
	if err := quant.QuantizeTunedVector(s.Vector, t.vector, t.mean, t.deviation, t.h.Allocation(t.prior)); err != nil {
		return nil, err
	}
	return format.Marshal(t.h, s, t.prior), nil
}

// errNoRoom reports that no file fits a budget.
var errNoRoom = errors.New("codec: no file fits the budget")

// planned reports whether a color map of so many bytes is tried for a budget:
// it takes between a fortieth and three quarters of it.
func planned(bytes, budget int) bool { return bytes >= budget/40 && bytes <= budget*3/4 }

// fit returns the best file of at most budget bytes: of the planned color
// maps, each with as many bits of the vector as fit beside it, the one with the
// least loss. It returns errNoRoom if none fits.
func (t *tuner) fit(ctx context.Context, budget int) ([]byte, error) {
	least, n, bits := math.Inf(1), 0, 0
	for _, p := range plans {
		if !planned(p.bytes, budget) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := t.color(p.n, p.bits)
		if total := t.room(c, budget); total > 0 {
			if loss := t.loss(c, total); loss < least {
				least, n, bits = loss, p.n, p.bits
			}
		}
	}
	if n == 0 {
		return nil, errNoRoom
	}
	// What the last byte holds depends on the codes: it may take a few bits less.
	for total := t.room(t.color(n, bits), budget); total > 0; total-- {
		t.h.VectorBits = total
		if data, err := t.file(); err != nil || len(data) <= budget {
			return data, err
		}
	}
	return nil, errNoRoom
}

// room returns how many bits of the vector fit beside a color map.
func (t *tuner) room(c format.ColorMap, budget int) int {
	most := format.MaxTunedBits * t.h.Dimensions
	h := t.h
	h.VectorBits = min(8*budget, most) // for the size of the number itself
	color := min(colorMapBytes(h, c, false), colorMapBytes(h, c, true))
	return min(int(8*(float64(budget)-color))-h.HeaderBits()-format.SpreadBits, most)
}

// colorWeight is what an area color score counts beside 1 - cosine. With the paper's
// number of bytes both then improve on the paper's by the same share of their
// possible gain.
const colorWeight = 5

// loss returns about how much is lost: 1 - cosine of a vector of total bits,
// and the area color score of the map.
func (t *tuner) loss(c format.ColorMap, total int) float64 {
	t.h.VectorBits = total
	var left, all float64
	for i, bits := range t.h.Allocation(t.prior) {
		d := float64(t.vector[i] - t.mean[i])
		left += float64(float64(d*d) * quant.Loss(int(bits))) // not fused: the same on every machine
		all += float64(t.vector[i]) * float64(t.vector[i])    // exact
	}
	up := quant.Upsample(quant.RGB(t.h, c), t.h.MapSize, quant.ScoreSide, quant.ScoreSide)
	return 1 - math.Sqrt(max(1-left/all, 0)) + float64(colorWeight*quant.Score(up, t.target))
}
