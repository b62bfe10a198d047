package iqa

import (
	"context"
	"fmt"
	"math"

	"github.com/coclico/coclico/nn"
)

// A Metric rates pictures. It is safe for concurrent use.
type Metric struct {
	Name      string // as at the head of a column: "MUSIQ", "LPIPS-vgg"
	Reference bool   // it compares a picture with a reference
	Lower     bool   // a lower score is better
	Origin

	minSide int
	scale   float64 // of the score; 0 stands for 1
	score   func(ctx context.Context, ws *nn.Workspace, reference, picture *Picture) (float64, error)
}

// Score rates a picture. Metrics without Reference ignore the reference, which
// may be nil. The error is a wrapped [SizeError] for a size that cannot be rated,
// ctx's, or reports a score that is not a number.
func (m *Metric) Score(ctx context.Context, p nn.Precision, reference, picture *Picture) (float64, error) {
	if err := picture.check(m.minSide); err != nil {
		return 0, fmt.Errorf("%s: %w", m.Name, err)
	}
	if m.Reference {
		if reference.W != picture.W || reference.H != picture.H {
			return 0, fmt.Errorf("%s: %w", m.Name, errSizes)
		}
		reference.mustFit()
	}
	ws := &nn.Workspace{Precision: p}
	defer ws.Close()
	score, err := m.score(ctx, ws, reference, picture)
	if m.scale != 0 {
		score *= m.scale
	}
	if err == nil && math.IsNaN(score) {
		err = fmt.Errorf("%s: the score is not a number", m.Name)
		if m.File != "" {
			err = fmt.Errorf("%w: the weights in %s are not usable", err, m.File)
		}
	}
	return score, err
}

// alone adapts the score of a network that needs no reference.
func alone(score func(context.Context, *nn.Workspace, *Picture) (float64, error)) func(context.Context, *nn.Workspace, *Picture, *Picture) (float64, error) {
	return func(ctx context.Context, ws *nn.Workspace, _, p *Picture) (float64, error) { return score(ctx, ws, p) }
}
