package evaluate

import (
	"context"
	"fmt"
	"math"
)

// score adds to a record the scores that it lacks, and the CLIP vector.
func (e *Evaluation) score(ctx context.Context, t *task, rec *Record, p *Picture, reference bool) error {
	if !e.hasVector(rec) {
		v, err := e.embed(ctx, p)
		if err != nil {
			return err
		}
		rec.Vector, rec.VectorOf = v, e.Model
	}
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
			err = fmt.Errorf("the score of %s, %s, is not finite", rec.Row, rec.Picture)
		}
		if err != nil {
			m.Missing = err.Error() // the rest of the table is worth having
			continue
		}
		rec.Scores[m.key()] = v
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
