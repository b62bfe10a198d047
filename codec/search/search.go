package search

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/quant"
)

// A Query is what pictures are compared with.
type Query struct {
	// Vector is a CLIP vector, as deviations from the model's means.
	Vector []float32

	// Share is how much of a vector's mean square is in Vector if that is what
	// a file tells of it, as [FileQuery] has it; 0 for a whole vector. Then
	// scores are made as large as those of the whole one would be, and at most
	// 1.
	Share float64

	K   int      // hits at most
	Min *float64 // least score, nil for any

	// Candidates is the number of pictures that the second stage scores; 0 is
	// 1,000 for each hit, and at most MaxCandidates, or all hits if they are
	// more.
	Candidates int

	// Decoded is the number of the best of these that the third stage scores
	// again, at least K; 0 is 4 for each hit and at least 200. If it is
	// negative, there is no third stage.
	Decoded int
}

// MaxCandidates is the largest number of pictures that are scored by default.
const MaxCandidates = 1 << 17

// A Hit is a picture that was found.
type Hit struct {
	Row      *archive.Row
	Score    float64 // estimate of the cosine; a little above 1 at most
	Distance int     // bits of the code that are not the query's
}

// A scored is a code and its score.
type scored struct {
	ordinal  uint64
	score    float64
	distance int
}

func compareScores(a, b scored) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.ordinal, b.ordinal))
}

// Search returns the pictures nearest to a query, the nearest first. It panics if
// the query's vector has another number of dimensions than the model's.
func (s *Set) Search(ctx context.Context, q Query) (hits []Hit, err error) {
	if len(q.Vector) != s.dim {
		panic("search: a query of another number of dimensions")
	}
	err = s.guard(func() (err error) {
		hits, err = s.search(ctx, q)
		return err
	})
	return hits, err
}

func (s *Set) search(ctx context.Context, q Query) ([]Hit, error) {
	codes := int(min(s.Counts.Codes, math.MaxInt/4)) // no number need be larger
	if q.K = min(q.K, codes); q.K < 1 {
		return nil, nil
	}
	m, d := min(q.Candidates, codes), min(q.Decoded, codes)
	if m <= 0 {
		m = max(min(1000*min(q.K, MaxCandidates), MaxCandidates), q.K)
	}
	if d == 0 {
		d = max(leastDecoded, 4*q.K)
	} else if d > 0 {
		d = max(d, q.K)
	}
	for ; ; m, d = 2*m, 2*d {
		all, err := s.candidates(ctx, q.Vector, m)
		if err != nil {
			return nil, err
		}
		if d > 0 {
			if all, err = s.decoded(ctx, all[:min(len(all), d)], q.Vector); err != nil {
				return nil, err
			}
		}
		hits, dropped, err := s.hits(ctx, all, q)
		if err != nil || !dropped || len(hits) == q.K || int64(len(all)) >= s.Counts.Codes {
			return hits, err
		}
	}
}

// leastDecoded is how many pictures the third stage scores at least, if there are
// so many. Each takes about 0.1 ms. Of 2,000 scenes it changes no hit beyond the
// 50 best.
const leastDecoded = 200

// candidates returns the m nearest codes of each kind, by score.
func (s *Set) candidates(ctx context.Context, q []float32, m int) ([]scored, error) {
	var all []scored
	code := make([]uint64, s.words)
	for i := range s.kinds {
		k := &s.kinds[i]
		k.sides.PutDeviations(code, q)
		near, err := k.nearest(ctx, code, m)
		if err != nil {
			return nil, err
		}
		t := newTables(k.sides, q)
		for _, n := range near {
			all = append(all, scored{n.ordinal(), t.score(s.code(n.ordinal())), n.distance()})
		}
	}
	slices.SortFunc(all, compareScores)
	return all, nil
}

// hits reads the rows of the best candidates, and orders those of equal score
// by name. dropped is set if a newer shard has replaced one of them, so that more
// candidates may have hits in its place.
func (s *Set) hits(ctx context.Context, all []scored, q Query) (hits []Hit, dropped bool, err error) {
	for len(all) > 0 && len(hits) < q.K {
		n := 1
		for n < len(all) && all[n].score == all[0].score {
			n++
		}
		score := q.score(all[0].score)
		if q.Min != nil && !(score >= *q.Min) {
			return hits, false, nil // more candidates would be no better
		}
		m := s.merger(all[:n])
		for len(hits) < q.K {
			if err := ctx.Err(); err != nil {
				return nil, false, err
			}
			row, c, err := m.next()
			if err != nil {
				return nil, false, err
			}
			if c == nil {
				break
			}
			if row == nil {
				dropped = true
				continue
			}
			hits = append(hits, Hit{row, score, c.distance})
		}
		all = all[n:]
	}
	return hits, dropped, nil
}

// score returns the score of a query's hit for that of its vector.
func (q *Query) score(s float64) float64 {
	if q.Share > 0 {
		return min(s/math.Sqrt(q.Share), 1)
	}
	return s
}

// A merger goes through candidates of equal score by their names. Within a shard
// that is the order of the rows, so that it reads one row of each shard ahead.
type merger struct {
	set   *Set
	lists [][]scored // by shard
	heads []*archive.Row
	read  []bool
}

func (s *Set) merger(equal []scored) *merger {
	m := &merger{set: s}
	for len(equal) > 0 {
		sh, n := s.place(equal[0].ordinal).shard, 1
		for n < len(equal) && s.place(equal[n].ordinal).shard == sh {
			n++
		}
		m.lists = append(m.lists, equal[:n])
		equal = equal[n:]
	}
	m.heads, m.read = make([]*archive.Row, len(m.lists)), make([]bool, len(m.lists))
	return m
}

// next returns the candidate of the least name and its row, which is nil if it
// was replaced. The candidate is nil if none is left.
func (m *merger) next() (*archive.Row, *scored, error) {
	best := -1
	for i, list := range m.lists {
		if len(list) == 0 {
			continue
		}
		if !m.read[i] {
			row, err := m.set.read(m.set.place(list[0].ordinal))
			if err != nil {
				return nil, nil, err
			}
			m.heads[i], m.read[i] = row, true
		}
		if m.heads[i] == nil { // replaced: away with it
			best = i
			break
		}
		if best < 0 || m.heads[i].Name < m.heads[best].Name {
			best = i
		}
	}
	if best < 0 {
		return nil, nil, nil
	}
	c := &m.lists[best][0]
	m.lists[best], m.read[best] = m.lists[best][1:], false
	return m.heads[best], c, nil
}

// tables score codes: the parts of q·y and of |y|² by byte.
type tables struct {
	dot, square [][256]float32
	scale       float64
}

func newTables(s *quant.Sides, q []float32) *tables {
	n := (len(q) + 63) / 64 * 8
	t := &tables{dot: make([][256]float32, n), square: make([][256]float32, n)}
	length := 0.0
	for i, v := range q {
		length += float64(v) * float64(v)
		t.put(i, v*s.Low[i], v*s.High[i], s.Low[i]*s.Low[i], s.High[i]*s.High[i])
	}
	if length > 0 && s.Energy > 0 {
		t.scale = math.Sqrt(s.Total / s.Energy / length)
	}
	return t
}

// put adds a dimension to its byte's tables.
func (t *tables) put(i int, dotLow, dotHigh, squareLow, squareHigh float32) {
	dot, square := &t.dot[i/8], &t.square[i/8]
	for b := range 256 {
		if b>>(i%8)&1 == 0 {
			dot[b] += dotLow
			square[b] += squareLow
		} else {
			dot[b] += dotHigh
			square[b] += squareHigh
		}
	}
}

// score returns the score of a code.
func (t *tables) score(code []uint64) float64 {
	var dot, square float64
	for i, w := range code {
		d, s := t.dot[8*i:][:8], t.square[8*i:][:8]
		for b := range 8 {
			dot += float64(d[b][byte(w)])
			square += float64(s[b][byte(w)])
			w >>= 8
		}
	}
	if !(square > 0) {
		return 0
	}
	return dot / math.Sqrt(square) * t.scale
}
