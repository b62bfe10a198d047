package search

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/coclico/coclico/kernels"
)

// A pair is two codes, by their ordinals, a < b.
type pair struct {
	distance int
	a, b     uint64
}

func comparePairs(p, q pair) int {
	return cmp.Or(cmp.Compare(p.distance, q.distance), cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b))
}

// nearestPairs are the nearest of all pairs. The list is up to twice as long, as
// a selection's is.
type nearestPairs struct {
	limit int
	mu    sync.Mutex
	list  []pair
	found int64
}

func (n *nearestPairs) add(pairs []pair) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.found += int64(len(pairs))
	for len(pairs) > 0 {
		k := min(len(pairs), 2*n.limit-len(n.list))
		n.list = append(n.list, pairs[:k]...)
		pairs = pairs[k:]
		if len(n.list) == 2*n.limit {
			n.cut()
		}
	}
}

func (n *nearestPairs) cut() {
	slices.SortFunc(n.list, comparePairs)
	n.list = n.list[:min(n.limit, len(n.list))]
}

func (n *nearestPairs) sorted() []pair {
	n.cut()
	return n.list
}

// A finder finds the pairs of groups of codes.
type finder struct {
	set      *Set
	within   int // of the group at work
	pairs    nearestPairs
	live     [][]uint64 // by shard
	progress func(done float64)

	mu          sync.Mutex
	done, total float64 // nanoseconds, as estimated
}

// report adds to the work that is done.
func (f *finder) report(cost float64) {
	if f.progress == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done += cost
	f.progress(min(f.done/f.total, 1))
}

func (f *finder) find(ctx context.Context, g *kindSet, p plan) error {
	switch {
	case g.n < 2:
		return nil
	case p.masks == nil:
		return f.scan(ctx, g, p)
	}
	b := newBuckets(f, g, p.masks)
	for i := range p.masks {
		if err := b.pass(ctx, i, p.cost/float64(len(p.masks))); err != nil {
			return err
		}
	}
	return nil
}

// counts reports whether a code of a segment is of a row that counts.
func (f *finder) counts(s *segment, i int) bool {
	live := f.live[s.shard.number]
	row := int(s.run.row) + i
	return live == nil || live[row/64]>>(row%64)&1 != 0
}

// scan compares all codes of a group. Pairs of blocks are numbered by the later
// block and then by the earlier one.
func (f *finder) scan(ctx context.Context, g *kindSet, p plan) error {
	blocks := int64(g.blocks)
	n := blocks * (blocks + 1) / 2
	var next atomic.Int64 // the later block, counted from the last
	return parallel(ctx, g.blocks, func() (func(int) error, func()) {
		c := comparer{finder: f, distances: make([]uint16, blockCodes)}
		each := func(int) error {
			later := int(blocks - next.Add(1)) // the longest first
			for earlier := 0; earlier <= later && ctx.Err() == nil; earlier++ {
				c.blocks(g, earlier, later)
				f.report(p.cost / float64(n))
			}
			return nil
		}
		return each, c.flush
	})
}

// A comparer compares codes and keeps the pairs that it finds for a while.
type comparer struct {
	*finder
	distances []uint16
	found     []pair
}

func (c *comparer) flush() {
	c.pairs.add(c.found)
	c.found = c.found[:0]
}

// put adds a pair.
func (c *comparer) put(distance uint16, a, b uint64) {
	c.found = append(c.found, pair{int(distance), min(a, b), max(a, b)})
	if len(c.found) >= blockCodes {
		c.flush()
	}
}

// blocks compares the codes of two blocks of a group, or of one.
func (c *comparer) blocks(g *kindSet, earlier, later int) {
	a, aFrom, aN := g.block(earlier)
	b, bFrom, bN := g.block(later)
	for i := range aN {
		if !c.counts(a, aFrom+i) {
			continue
		}
		first := 0
		if earlier == later {
			first = i + 1
		}
		d := c.distances[:bN-first]
		if len(d) == 0 {
			continue
		}
		kernels.Hamming(d, a.codes(aFrom+i, 1), b.codes(bFrom+first, bN-first))
		for j, distance := range d {
			if int(distance) <= c.within && c.counts(b, bFrom+first+j) {
				c.put(distance, a.ordinal+uint64(aFrom+i), b.ordinal+uint64(bFrom+first+j))
			}
		}
	}
}
