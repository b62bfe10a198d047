package codec

import (
	"math"

	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/codec/tuned"
)

// A Profile is a way to quantise.
type Profile = container.Profile

const (
	Paper = container.Paper // the paper's quantisers
	Tuned = container.Tuned // the same bytes spent better; see package tuned
)

// MinBytes and MaxBytes are the budgets that a file can be fitted to.
const (
	MinBytes = 40
	MaxBytes = 4000
)

// A tuner makes the file of one picture in the tuned profile.
type tuner struct {
	h         container.Header
	m         container.Model
	mean, std []float32 // of the vector's dimensions, as the file's moments have them
	embedding []float32
	frame     frame
	target    []float32 // the picture at 32 x 32, which a colour map is judged by
}

func newTuner(h container.Header, m container.Model, f frame, embedding []float32) *tuner {
	t := &tuner{h: h, m: m, frame: f, embedding: embedding}
	t.mean, t.std = vectorMoments(m)
	t.target = stream.NewRGB(f.rgb, f.w, f.h, scoreSide)
	return t
}

// vectorMoments returns the means and deviations of a model's vectors.
func vectorMoments(m container.Model) (mean, std []float32) {
	for _, moment := range m.Moments {
		mean = append(mean, float32(moment.Mean)*tuned.Unit)
		std = append(std, float32(moment.Std)*tuned.Unit)
	}
	return mean, std
}

// colour sets the header's colour map and range, and returns the codes.
func (t *tuner) colour(n, bits int) stream.Colour {
	t.h.MapSize, t.h.ColourBits = n, bits
	c, r := tuned.QuantiseColour(stream.NewPlanes(t.frame.rgb, t.frame.w, t.frame.h, n, true), n, bits)
	t.h.Range = r
	return c
}

// vector sets the header's bits of the vector, and returns the codes.
func (t *tuner) vector(total int) ([]uint16, error) {
	t.h.VectorBits = total
	codes := make([]uint16, len(t.embedding))
	err := tuned.QuantiseVector(codes, t.embedding, t.mean, t.std, t.h.DimensionBits(t.m))
	return codes, err
}

// file returns the file with these parameters.
func (t *tuner) file(n, bits, total int) ([]byte, error) {
	c := t.colour(n, bits)
	codes, err := t.vector(total)
	if err != nil {
		return nil, err
	}
	return container.Marshal(t.h, stream.Symbols{Embedding: codes, Colour: c}, t.m), nil
}

// fit returns the best file of at most budget bytes: of the colour maps in plans that take between a fortieth and three
// quarters of it, each with as many bits of the vector as there is room for, that with the least loss. It returns nil if
// there is room for none.
func (t *tuner) fit(budget int) (best []byte, err error) {
	least := math.Inf(1)
	for _, p := range plans {
		if p.bytes < budget/40 || p.bytes > budget*3/4 {
			continue
		}
		c := t.colour(p.n, p.bits)
		data, codes, err := t.fill(c, budget)
		if err != nil {
			return nil, err
		}
		if data == nil {
			continue
		}
		if loss := t.loss(c, codes); loss < least {
			least, best = loss, data
		}
	}
	return best, nil
}

// fill returns the file with the most bits of the vector that fits beside a colour map, and its codes; nil if none does.
// Bits of the vector take their own room, up to a byte or two: the search is for how many.
func (t *tuner) fill(c stream.Colour, budget int) (best []byte, codes []uint16, err error) {
	try := func(total int) ([]byte, []uint16, error) {
		k, err := t.vector(total)
		if err != nil {
			return nil, nil, err
		}
		return container.Marshal(t.h, stream.Symbols{Embedding: k, Colour: c}, t.m), k, nil
	}
	least, _, err := try(1)
	if err != nil || len(least) > budget {
		return nil, nil, err
	}
	room := 8 * (budget - len(least))
	hi := min(room+32, tuned.MaxBits*t.h.EmbeddingDim+1) // do not fit, or are more than there can be
	lo := max(hi-64, 0)                                  // fit
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		data, k, err := try(mid)
		if err != nil {
			return nil, nil, err
		}
		if len(data) <= budget {
			lo, best, codes = mid, data, k
		} else {
			hi = mid
		}
	}
	if best != nil {
		t.h.VectorBits = lo
	}
	return best, codes, nil
}

const (
	// scoreSide is the side of the maps that the colour score compares, as in the paper.
	scoreSide = 32

	// colourWeight is what a colour score counts beside 1 - cosine. At the paper's size a byte more takes as much from
	// either, about 0.004 from the one and 0.0004 from the other.
	colourWeight = 10
)

// loss returns how much is lost: 1 - cosine of the vector, and the colour score of the map.
func (t *tuner) loss(c stream.Colour, codes []uint16) float64 {
	x := make([]float32, len(codes))
	tuned.DequantiseVector(x, codes, t.mean, t.std, t.h.DimensionBits(t.m))
	rgb := tuned.DequantiseColour(c, t.h.Range, t.h.MapSize, t.h.ColourBits)
	score := Score(stream.Upsample(rgb, t.h.MapSize, scoreSide, scoreSide), t.target)
	return 1 - tuned.Cosine(x, t.embedding) + colourWeight*score
}

// Score returns the mean square difference of two pictures, the colour score if they are 32 x 32 in RGB from 0 to 1.
func Score(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += float64(d * d)
	}
	return sum / float64(len(x))
}
