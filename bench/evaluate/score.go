package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/coclico/coclico/bench/iqa"
)

// score adds to a record of a row the scores that it lacks, and the CLIP vector.
// A score that fails becomes a problem.
func (e *Evaluation) score(ctx context.Context, t *task, r *row, rec *Record, p *Picture) error {
	if !e.hasVector(rec) {
		v, err := e.embed(ctx, p)
		if err != nil {
			return err
		}
		rec.Vector, rec.VectorOf = v, e.Model
	}
	reference := r.id == inputID
	if reference {
		t.vector = rec.Vector
	}
	if t.vector == nil {
		v, err := e.embed(ctx, t.ref)
		if err != nil {
			return err
		}
		t.vector = v
	}
	s := Subject{Seen{t.ref, t.vector}, Seen{p, rec.Vector}}
	for i := range e.metrics {
		m := &e.metrics[i]
		if _, ok := rec.Scores[m.key()]; ok || m.Missing != "" || m.Score == nil || reference && !m.Alone {
			continue
		}
		v, err := m.Score(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
			err = errors.New("the score is not finite")
		}
		switch {
		case err == nil:
			rec.Scores[m.key()] = v
		case errors.As(err, new(iqa.SizeError)):
			m.Missing = err.Error() // all pictures have this size
		default:
			e.problem(r.name, rec.Picture, fmt.Errorf("%s: %w", m.Name, err))
		}
	}
	return nil
}

// hasVector reports whether a record has a vector of the evaluation's model. One
// of another length is a damaged record's.
func (e *Evaluation) hasVector(rec *Record) bool {
	return rec.VectorOf == e.Model && len(rec.Vector) == e.dimensions
}

// embed returns the CLIP vector of a picture, as the encoder computes it.
func (e *Evaluation) embed(ctx context.Context, p *Picture) (vector, error) {
	seen, err := e.Codec.Embed(ctx, p.Image(), nil)
	if err != nil {
		return nil, err
	}
	return seen.Vector(), nil
}
