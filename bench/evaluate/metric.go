package evaluate

import (
	"context"

	"github.com/coclico/coclico/codec/quant"
)

// A Direction is how a metric's scores are read.
type Direction int

const (
	Lower  Direction = iota // less is better
	Higher                  // more is better
)

func (d Direction) String() string {
	if d == Higher {
		return "↑"
	}
	return "↓"
}

// A Metric judges pictures: each beside its reference, or alone, or all
// pictures of a row together.
type Metric struct {
	Name   string
	Unit   string
	Better Direction
	Digits int // behind the point

	// Version is what scores depend on besides pictures, such as the hash of
	// weights. Scores of another version are computed again.
	Version string

	// Weights names the file of the weights for the report. It is "" for a
	// metric without weights, and for synthetic ones.
	Weights string

	// Missing says why there are no scores, and what to do: the metric then
	// has a column of dashes. An [iqa.SizeError] of Score sets it.
	Missing string

	// Synthetic marks scores of weights that were made by a law and not
	// trained: the table then warns of them everywhere.
	Synthetic bool

	// Alone marks a metric that needs no reference, and so judges the input
	// too.
	Alone bool

	// Score judges one picture; s.Reference is the zero Seen if it is Alone.
	Score func(ctx context.Context, s Subject) (float64, error)

	// Set, instead of Score, judges at least AtLeast pictures by their CLIP
	// vectors.
	Set     func(refs, pictures [][]float32) float64
	AtLeast int
}

// A Subject is a picture to judge, and its reference.
type Subject struct{ Reference, Picture Seen }

// A Seen is a picture and its CLIP vector.
type Seen struct {
	*Picture
	Vector []float32 // not normalized
}

// key names a metric's scores in a record.
func (m *Metric) key() string {
	if m.Version == "" {
		return m.Name
	}
	return m.Name + " " + m.Version
}

// colorScore is the paper's: the mean square error of the pictures at 32 x 32,
// RGB in [0, 1], interpolated without antialias as torch's interpolate does by
// default. (Antialiased, VVC's would print as 0.00 in the paper's table, where
// it is 0.01.)
func colorScore() Metric {
	return Metric{Name: "color", Digits: 4, Score: func(_ context.Context, s Subject) (float64, error) {
		return quant.Score(s.Picture.map32(), s.Reference.map32()), nil
	}}
}

func (p *Picture) map32() []float32 {
	return quant.Interpolate(p.RGB, p.Side, p.Side, quant.ScoreSide)
}

// clipDistance is 1 - cosine of the CLIP vectors, of the tower whose vector
// CoCliCo keeps: it judges itself.
func clipDistance(version string) Metric {
	return Metric{Name: "CLIP d", Digits: 3, Version: version, Score: func(_ context.Context, s Subject) (float64, error) {
		return 1 - quant.Cosine(s.Picture.Vector, s.Reference.Vector), nil
	}}
}
