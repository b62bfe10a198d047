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
// time. Where more than MaxOverlap would be, there are no rows, only ErrOverlap.
// The rows that are read, replaced ones too, are counted in m, if there is one.
func newest(shards []*Shard, after string, m *meter) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		var runs []*run
		var infos []ShardInfo
		for _, s := range shards {
			if after == "" || s.Info.Last > after {
				runs = append(runs, &run{rows: s.counted(after, m), name: max(s.Info.First, after)})
				infos = append(infos, s.Info)
			}
		}
		if len(infos) > MaxOverlap && overlap(infos) > MaxOverlap {
			yield(nil, ErrOverlap)
			return
		}
		latest(runs)(yield)
	}
}

// live is newest without tombstones.
func live(shards []*Shard, after string, m *meter) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for row, err := range newest(shards, after, m) {
			if err == nil && row.Removed() {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// counted is rowsAfter, and counts them in m, if there is one.
func (s *Shard) counted(after string, m *meter) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for row, err := range s.rowsAfter(after) {
			if err == nil && m != nil {
				m.add(1)
			}
			if !yield(row, s.located(err)) {
				return
			}
		}
	}
}

// latest merges runs into the order of their names. Of several rows of a name it
// has that of the last run. It can be called once.
func latest(runs []*run) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for i, r := range runs {
			r.place = i
		}
		h := runHeap(runs)
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
			err, more := r.advance()
			switch {
			case !more:
				heap.Pop(&h)
				r.close()
			case err == nil:
				heap.Fix(&h, 0)
			case !yield(nil, err):
				return
			}
		}
	}
}

// A run is rows in the order of their names, each name once: a shard's, or an
// archive's.
type run struct {
	rows  iter.Seq2[*Row, error]
	place int    // among the runs
	name  string // of row, or one that no row of the run precedes
	row   *Row   // nil before the first row and after an error
	next  func() (*Row, error, bool)
	stop  func()
}

// advance reads the next row, and reports whether there was one or an error.
func (r *run) advance() (err error, more bool) {
	if r.next == nil {
		r.next, r.stop = iter.Pull2(r.rows)
	}
	r.row, err, more = r.next()
	if r.row != nil {
		r.name = r.row.Name
	}
	return err, more
}

func (r *run) close() {
	if r.stop != nil {
		r.stop()
	}
}

// A runHeap has the run with the least name first, the last of those with the
// same name.
type runHeap []*run

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	return cmp.Or(strings.Compare(h[i].name, h[j].name), h[j].place-h[i].place) < 0
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	*h = (*h)[:last]
	return r
}
