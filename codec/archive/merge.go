package archive

import (
	"cmp"
	"container/heap"
	"iter"
	"strings"
)

// newest merges shards, the oldest first, into the order of their names. Of
// several rows of a name it has that of the newest shard, which may be a
// tombstone. Names that do not follow after are left out. A shard is opened when
// its first name comes up, so that where names do not overlap, one is open at a
// time. The rows that are read, replaced ones too, are counted in m, if there is
// one.
func newest(shards []*Shard, after string, m *meter) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		h := make(runHeap, 0, len(shards))
		for i, s := range shards {
			if after == "" || s.Info.Last > after {
				h = append(h, &run{shard: s, age: i, after: after, name: max(s.Info.First, after)})
			}
		}
		heap.Init(&h)
		defer func() {
			for _, r := range h {
				r.close()
			}
		}()
		last := ""
		for len(h) > 0 {
			r := h[0]
			if r.row != nil && r.name != last {
				last = r.name
				if !yield(r.row, nil) {
					return
				}
			}
			err := r.advance()
			if r.row != nil {
				if m != nil {
					m.add(1)
				}
				heap.Fix(&h, 0)
			} else {
				heap.Pop(&h)
				r.close()
			}
			if err != nil && !yield(nil, r.shard.located(err)) {
				return
			}
		}
	}
}

// A run is a shard in a merge.
type run struct {
	shard *Shard
	age   int // its place among the shards
	after string
	name  string // of row, or one that no row of the run precedes
	row   *Row   // nil before the first row and after the last
	next  func() (*Row, error, bool)
	stop  func()
}

// advance reads the next row.
func (r *run) advance() (err error) {
	first := r.next == nil
	if first {
		r.next, r.stop = iter.Pull2(r.shard.rowsAfter(r.after))
	}
	r.row, err, _ = r.next()
	if r.row != nil {
		if r.name = r.row.Name; first && r.after < r.shard.Info.First && r.name != r.shard.Info.First {
			r.row, err = nil, named(r.shard.Info.Name, errFirst)
		}
	}
	return err
}

func (r *run) close() {
	if r.stop != nil {
		r.stop()
	}
}

// A runHeap has the run with the least name first, the newest of those with the
// same name.
type runHeap []*run

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	return cmp.Or(strings.Compare(h[i].name, h[j].name), h[j].age-h[i].age) < 0
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	*h = (*h)[:last]
	return r
}
