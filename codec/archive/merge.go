package archive

import (
	"cmp"
	"container/heap"
	"iter"
	"strings"
)

// newest merges shards, the oldest first, into the order of their names. Of
// several rows of a name it has that of the newest shard, which may be a
// tombstone. Names that do not follow after are left out. Where more than
// MaxOverlap shards would be open, there are no rows, only ErrOverlap. The rows
// that are read, replaced ones too, are counted in m, if there is one.
func newest(shards []*Shard, after string, m *meter) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		runs, err := runsOf(shards, after, func(s *Shard) iter.Seq2[*Row, error] { return s.counted(after, m) })
		if err != nil {
			yield(nil, err)
			return
		}
		latest(runs)(yield)
	}
}

// A Place is where a row is: in which of some shards, and its number there.
type Place struct {
	Shard int
	Row   int64
}

// Newest returns where the rows of shards are that no newer shard replaces,
// tombstones too, in the order of their names. The shards are an archive's or
// some of them, the oldest first. It reads their names alone, each once. Where
// more than [MaxOverlap] of them may have one name, the error is [ErrOverlap].
func Newest(shards []*Shard) iter.Seq2[Place, error] {
	return func(yield func(Place, error) bool) {
		runs, err := runsOf(shards, "", func(s *Shard) iter.Seq2[*Row, error] { return s.rowsAfter("", colName) })
		if err != nil {
			yield(Place{}, err)
			return
		}
		for r, err := range winners(runs) {
			if !yield(Place{r.place, r.read - 1}, err) {
				return
			}
		}
	}
}

// runsOf returns the runs of shards that have names after one. A shard is opened
// when its first name comes up, so that where names do not overlap, one is open
// at a time.
func runsOf(shards []*Shard, after string, rows func(*Shard) iter.Seq2[*Row, error]) ([]*run, error) {
	var runs []*run
	var infos []ShardInfo
	for _, s := range shards {
		if after == "" || s.Info.Last > after {
			runs = append(runs, &run{rows: rows(s), name: max(s.Info.First, after)})
			infos = append(infos, s.Info)
		}
	}
	if len(infos) > MaxOverlap && overlap(infos) > MaxOverlap {
		return nil, ErrOverlap
	}
	return runs, nil
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
		for row, err := range s.rowsAfter(after, allColumns...) {
			if err == nil && m != nil {
				m.add(1)
			}
			if !yield(row, s.located(err)) {
				return
			}
		}
	}
}

// latest returns the rows of winners.
func latest(runs []*run) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for r, err := range winners(runs) {
			if !yield(r.row, err) {
				return
			}
		}
	}
}

// winners merges runs into the order of their names. Of several rows of a name it
// has that of the last run: the run that is at it. With an error it has the run
// that cannot be read. It can be called once.
func winners(runs []*run) iter.Seq2[*run, error] {
	return func(yield func(*run, error) bool) {
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
				if !yield(r, nil) {
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
			case !yield(r, err):
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
	read  int64  // rows so far
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
		r.read++
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
