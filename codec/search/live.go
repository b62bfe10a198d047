package search

import (
	"container/heap"
	"context"
	"iter"

	"github.com/coclico/coclico/codec/archive"
)

// live returns the rows that count of each shard, a bit for each, or nil if all
// of a shard's do. It merges the names of the shards that overlap: of those of one
// name, the newest counts.
func (s *Set) live(ctx context.Context) ([][]uint64, error) {
	all := make([][]uint64, len(s.shards))
	var h heads
	for i := range s.shards {
		sh := &s.shards[i]
		if sh.replaced {
			all[i] = make([]uint64, (sh.Rows+63)/64)
		}
		if sh.replaced || sh.replaces {
			h = append(h, &head{number: i, shard: sh.shard, name: sh.shard.Info.First, row: -1})
		}
	}
	if len(h) > archive.MaxOverlap && s.archive.Manifest().Overlap() > archive.MaxOverlap {
		return nil, archive.ErrOverlap
	}
	defer func() {
		for _, first := range h {
			first.close()
		}
	}()
	heap.Init(&h)
	last := ""
	for len(h) > 0 {
		first := h[0]
		if first.row >= 0 && first.name != last {
			last = first.name
			if bits := all[first.number]; bits != nil {
				bits[first.row/64] |= 1 << (first.row % 64)
			}
		}
		if more, err := first.advance(); err != nil {
			return nil, err
		} else if more {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
			first.close()
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// A head is where a merge of shards' names is in one of them. The shard is opened
// when its first name comes up.
type head struct {
	number int
	shard  *archive.Shard
	name   string
	row    int64 // -1 before the first one
	next   func() (archive.Entry, error, bool)
	stop   func()
}

// advance reads the next name, and reports whether there is one.
func (h *head) advance() (bool, error) {
	if h.next == nil {
		h.next, h.stop = iter.Pull2(h.shard.Names())
	}
	e, err, more := h.next()
	h.name, h.row = e.Name, e.Row
	return more, err
}

func (h *head) close() {
	if h.stop != nil {
		h.stop()
	}
}

// Heads are a heap with the least name first, the newest shard's of those that are
// equal.
type heads []*head

func (h heads) Len() int      { return len(h) }
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)   { *h = append(*h, x.(*head)) }

func (h heads) Less(i, j int) bool {
	if h[i].name != h[j].name {
		return h[i].name < h[j].name
	}
	return h[i].number > h[j].number
}

func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
