package codec

import (
	"context"
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

	planes map[int]stream.Planes // of the picture, by the colour map's side
}

func newTuner(h container.Header, m container.Model, f frame, embedding []float32) *tuner {
	t := &tuner{h: h, m: m, frame: f, embedding: embedding, planes: map[int]stream.Planes{}}
	t.h.Profile = Tuned
	t.mean, t.std = vectorMoments(m, 1)
	t.h.Spread = tuned.NearestSpread(embedding, t.mean, t.std)
	t.mean, t.std = vectorMoments(m, tuned.Spread(t.h.Spread))
	t.target = stream.NewRGB(f.rgb, f.w, f.h, scoreSide)
	return t
}

// vectorMoments returns the means of a model's vectors, and their deviations times spread.
func vectorMoments(m container.Model, spread float32) (mean, std []float32) {
	for _, moment := range m.Moments {
		mean = append(mean, float32(moment.Mean)*tuned.Unit)
		std = append(std, float32(moment.Std)*tuned.Unit*spread)
	}
	return mean, std
}

// colour sets the header's colour map and range, and returns the codes.
func (t *tuner) colour(n, bits int) stream.Colour {
	t.h.MapSize, t.h.ColourBits = n, bits
	m, ok := t.planes[n]
	if !ok {
		m = stream.NewPlanes(t.frame.rgb, t.frame.w, t.frame.h, n, true)
		t.planes[n] = m
	}
	c, r := tuned.QuantiseColour(m, n, bits)
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
// there is room for none, and ctx's error when that ends.
func (t *tuner) fit(ctx context.Context, budget int) ([]byte, error) {
	least, n, bits := math.Inf(1), 0, 0
	for _, p := range plans {
		if p.bytes < budget/40 || p.bytes > budget*3/4 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := t.colour(p.n, p.bits)
		if total := t.room(c, budget); total > 0 {
			if loss := t.loss(c, total); loss < least {
				least, n, bits = loss, p.n, p.bits
			}
		}
	}
	if n == 0 {
		return nil, nil
	}
	// What the last byte holds depends on the codes: there may be room for a few bits less.
	for total := t.room(t.colour(n, bits), budget); total > 0; total-- {
		if data, err := t.file(n, bits, total); err != nil || len(data) <= budget {
			return data, err
		}
	}
	return nil, nil
}

// room returns for how many bits of a vector there is room beside a colour map. Bits of the vector take their own room.
func (t *tuner) room(c stream.Colour, budget int) int {
	t.h.VectorBits = min(8*budget, tuned.MaxBits*t.h.EmbeddingDim) // for the size of the number itself
	data := container.Marshal(t.h, stream.Symbols{Embedding: make([]uint16, t.h.EmbeddingDim), Colour: c}, t.m)
	s, err := container.SplitOf(data)
	if err != nil {
		panic("codec: a file that was just written is none")
	}
	return min(int(8*(float64(budget)-s.Header-s.Colour))-tuned.SpreadBits, tuned.MaxBits*t.h.EmbeddingDim)
}

const (
	// scoreSide is the side of the maps that the colour score compares, as in the paper.
	scoreSide = 32

	// colourWeight is what a colour score counts beside 1 - cosine. At the paper's size both are then better than the
	// paper's by as much of what they can be.
	colourWeight = 5
)

// loss returns about how much is lost: 1 - cosine of the vector with so many bits, and the colour score of the map.
func (t *tuner) loss(c stream.Colour, total int) float64 {
	t.h.VectorBits = total
	var left, all float64
	for i, bits := range t.h.DimensionBits(t.m) {
		d := float64(t.embedding[i] - t.mean[i])
		left += float64(d*d) * tuned.Loss(int(bits))
		all += float64(t.embedding[i]) * float64(t.embedding[i])
	}
	rgb := t.h.RGB(c)
	score := Score(stream.Upsample(rgb, t.h.MapSize, scoreSide, scoreSide), t.target)
	return 1 - math.Sqrt(max(1-left/all, 0)) + colourWeight*score
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
