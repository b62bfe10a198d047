package search

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

// errNotIndexed means that an index, or a shard's file, is not what it says.
var errNotIndexed = errors.New("a picture is not the one that the index has a code of: delete the index")

// decoded gives candidates the score of the third stage, and orders them again.
// One whose file has no more than the sides keeps its score.
func (s *Set) decoded(ctx context.Context, all []scored, q []float32) ([]scored, error) {
	d := &decoder{set: s, query: q, length: math.Sqrt(dot(q, q)), kinds: map[kind]*quant.Expectation{}}
	var work []*scored
	for i := range all {
		k := s.place(all[i].ordinal).kind
		if k.profile == format.Paper && k.dimensionBits == 1 {
			continue
		}
		if d.kinds[k] == nil {
			d.kinds[k] = quant.NewExpectation(k.header(s.dim), s.prior)
		}
		work = append(work, &all[i])
	}
	// Pages are read in their order.
	slices.SortFunc(work, func(a, b *scored) int { return cmp.Compare(a.ordinal, b.ordinal) })
	err := parallel(ctx, len(work), func() (func(int) error, func()) {
		r := d.reader()
		return func(i int) error { return r.score(work[i]) }, func() {}
	})
	slices.SortFunc(all, compareScores)
	return all, err
}

// A decoder scores files by all of their codes.
type decoder struct {
	set    *Set
	query  []float32
	length float64 // of query
	kinds  map[kind]*quant.Expectation
}

// A decodedReader is what a goroutine decodes with.
type decodedReader struct {
	*decoder
	codes  *format.VectorReader
	symbol []uint16
	x      []float32
}

func (d *decoder) reader() *decodedReader {
	n := d.set.dim
	return &decodedReader{d, format.NewVectorReader(d.set.prior), make([]uint16, n), make([]float32, n)}
}

// score sets the score of a candidate.
func (r *decodedReader) score(c *scored) error {
	at := r.set.place(c.ordinal)
	e, err := r.read(at)
	if err != nil {
		return err
	}
	c.score = 0
	if square := dot(r.x, r.x); square > 0 && r.length > 0 && e.Energy > 0 {
		c.score = dot(r.query, r.x) / (r.length * math.Sqrt(square)) * math.Sqrt(e.Total/e.Energy)
	}
	return nil
}

// read reads a picture's vector into x.
func (r *decodedReader) read(at place) (*quant.Expectation, error) {
	data, err := at.shard.shard.Data(at.row)
	if err != nil {
		return nil, err
	}
	f, err := format.Parse(data)
	if err != nil || f.Dimensions != r.set.dim || kindOf(f.Header) != at.kind || r.codes.Vector(r.symbol, f) != nil {
		return nil, &archive.ShardError{Shard: at.shard.shard.Info.Name, Err: errNotIndexed}
	}
	e := r.kinds[at.kind]
	e.Put(r.x, r.symbol, f.Header)
	return e, nil
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}
