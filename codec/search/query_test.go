package search

import (
	"math"
	"slices"
	"testing"
)

// TestFileQuery: a picture's own file scores 1 and never more, and a least score
// is that of a hit, too.
func TestFileQuery(t *testing.T) {
	l := newPlainLibrary(t, 128, 60, 4)
	s := l.open(t)
	for name, data := range l.rows {
		q, err := FileQuery(data, l.prior)
		if err != nil {
			t.Fatal(err)
		}
		search := func() []Hit {
			hits, err := s.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return hits
		}
		q.K = len(l.rows)
		all := search()
		own := slices.IndexFunc(all, func(h Hit) bool { return h.Row.Name == name })
		if own < 0 || all[0].Score > 1 || math.Abs(all[own].Score-1) > 1e-5 {
			t.Fatalf("%s is hit %d: the first has a score of %v", name, own, all[0].Score)
		}
		for _, i := range []int{own, len(all) / 2} {
			q.Min = &all[i].Score
			if hits := search(); len(hits) <= i || hits[i].Row.Name != all[i].Row.Name || hits[len(hits)-1].Score < *q.Min {
				t.Errorf("%s: %d hits of a score of at least %v, which hit %d has", name, len(hits), *q.Min, i)
			}
		}
	}
}
