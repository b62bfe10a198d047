package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

func testPrior(rng *rand.Rand, dim int) format.Prior {
	p := format.Prior{Fingerprint: 77, Moments: make([]format.Moment, dim)}
	for i := range p.Moments {
		p.Moments[i] = format.Moment{Mean: int64(rng.NormFloat64() * (1 << 22)), Std: int64((0.2 + 0.5*rng.Float64()) * (1 << 24))}
	}
	return p
}

// testFile returns a file of a kind with random codes.
func testFile(rng *rand.Rand, p format.Prior, kind int) []byte {
	h := format.NewHeader(len(p.Moments))
	h.Fingerprint = p.Fingerprint
	switch kind {
	case 1:
		h.DimensionBits = 3
	case 2:
		h = h.WithProfile(format.Tuned)
	case 3:
		h = h.WithProfile(format.Tuned)
		h.VectorBits = h.Dimensions / 2
	}
	s := format.Symbols{Vector: make([]uint16, h.Dimensions), ColorMap: format.ColorMap{Y: make([]uint8, 64), U: make([]uint8, 16), V: make([]uint8, 16)}}
	for i, bits := range h.Allocation(p) {
		s.Vector[i] = uint16(rng.Intn(1 << bits))
	}
	return format.Marshal(h, s, p)
}

// A library is an archive and what it is to hold.
type library struct {
	dir    string
	prior  format.Prior
	rows   map[string][]byte // that count
	counts Counts            // of the shards' rows
}

// newLibrary makes an archive of several full shards, which are not merged,
// whose rows replace and remove each other.
func newLibrary(t testing.TB, dim, n, kinds int) *library {
	t.Helper()
	rng := rand.New(rand.NewSource(int64(dim + n)))
	l := &library{dir: t.TempDir(), prior: testPrior(rng, dim), rows: map[string][]byte{}}
	other := l.prior
	other.Fingerprint++
	last := testFile(rng, l.prior, 0)
	for round := range 3 {
		w, err := archive.NewWriter(l.dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}, ShardRows: int64(max(n/8, 1))})
		if err != nil {
			t.Fatal(err)
		}
		names := rng.Perm(n)[:n/2]
		slices.Sort(names)
		for _, i := range names {
			row := &archive.Row{Name: fmt.Sprintf("p%06d", i)}
			l.counts.Rows++
			delete(l.rows, row.Name)
			switch c := rng.Intn(20); {
			case c == 0 && round > 0:
				if err := w.Remove(row.Name); err != nil {
					t.Fatal(err)
				}
				continue
			case c == 1:
				row.Error = "cannot be read"
			case c == 2:
				row.Data = testFile(rng, other, 0)
				l.counts.OtherModel++
			case c == 3:
				row.Data = []byte{1, 2, 3}
				l.counts.Unreadable++
			case c < 8: // again, under another name
				row.Data = last
				l.counts.Codes++
				l.rows[row.Name] = row.Data
			default:
				row.Data = testFile(rng, l.prior, rng.Intn(kinds))
				last = row.Data
				l.counts.Codes++
				l.rows[row.Name] = row.Data
			}
			if err := w.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// newPlainLibrary makes an archive of one shard, in which all rows count.
func newPlainLibrary(t testing.TB, dim, n, kinds int) *library {
	t.Helper()
	rng := rand.New(rand.NewSource(3))
	l := &library{dir: t.TempDir(), prior: testPrior(rng, dim), rows: map[string][]byte{}}
	w, err := archive.NewWriter(l.dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		row := &archive.Row{Name: fmt.Sprintf("p%06d", i), Data: testFile(rng, l.prior, rng.Intn(kinds))}
		l.rows[row.Name] = row.Data
		if err := w.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

// reader opens the archive until the test ends.
func (l *library) reader(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := archive.Open(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func (l *library) open(t testing.TB) *Set {
	t.Helper()
	s, err := Open(t.Context(), l.reader(t), l.prior, Options{Dir: filepath.Join(l.dir, Folder)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) // before the archive
	return s
}

// A known is a picture as brute force knows it.
type known struct {
	name     string
	sides    []uint64
	y        []float32
	x        []float32 // decoded
	kind     *quant.Sides
	all      *quant.Expectation
	score    float64
	distance int
}

// all reads all pictures, in order of their names.
func (l *library) all(t testing.TB) (list []known) {
	t.Helper()
	for name, data := range l.rows {
		f, err := format.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		codes, err := f.Vector(l.prior)
		if err != nil {
			t.Fatal(err)
		}
		k := known{name: name, kind: quant.NewSides(f.Header, l.prior), y: make([]float32, len(codes)), sides: make([]uint64, (len(codes)+63)/64)}
		k.kind.Put(k.sides, codes)
		k.kind.Expect(k.y, k.sides)
		k.all, k.x = quant.NewExpectation(f.Header, l.prior), make([]float32, len(codes))
		if k.all.Put(k.x, codes, f.Header); f.Profile == format.Tuned {
			k.x = Deviations(quant.Vector(f.Header, codes, l.prior), l.prior) // which is not how Search does it
		}
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b known) int { return cmp.Compare(a.name, b.name) })
	return list
}

// compare gives each picture its scores and its distance, by their definitions.
// The score is that of the third stage if decode is set.
func compare(list []known, q []float32, decode bool) {
	for i := range list {
		k := &list[i]
		own := make([]uint64, len(k.sides))
		k.kind.PutDeviations(own, q)
		var dot, qq, yy float64
		k.distance = 0
		for j, y := range k.y {
			dot += float64(q[j]) * float64(y)
			qq += float64(q[j]) * float64(q[j])
			yy += float64(y) * float64(y)
			if (own[j/64]^k.sides[j/64])>>(j%64)&1 != 0 {
				k.distance++
			}
		}
		k.score = dot / math.Sqrt(qq*yy) * math.Sqrt(k.kind.Total/k.kind.Energy)
		if decode {
			dot, yy = 0, 0
			for j, x := range k.x {
				dot += float64(q[j]) * float64(x)
				yy += float64(x) * float64(x)
			}
			k.score = dot / math.Sqrt(qq*yy) * math.Sqrt(k.all.Total/k.all.Energy)
		}
	}
}

// TestSearch compares hits with brute force, on archives of several shapes.
func TestSearch(t *testing.T) {
	for _, c := range []struct{ dim, n, kinds int }{{64, 1, 1}, {64, 40, 1}, {200, 300, 4}, {768, 300, 3}, {1000, 100, 2}} {
		t.Run(fmt.Sprintf("%dx%d", c.dim, c.n), func(t *testing.T) {
			l := newLibrary(t, c.dim, max(c.n, 4), c.kinds)
			s := l.open(t)
			if s.Counts != l.counts {
				t.Errorf("counts %+v, want %+v", s.Counts, l.counts)
			}
			list := l.all(t)
			rng := rand.New(rand.NewSource(1))
			for round := range 4 {
				q := make([]float32, c.dim)
				for i := range q {
					q[i] = float32(rng.NormFloat64())
				}
				if round%2 == 0 && len(list) > 0 {
					copy(q, list[rng.Intn(len(list))].y)
				}
				decoded := -1
				if round > 1 {
					decoded = len(list)
				}
				compare(list, q, decoded > 0)
				slices.SortStableFunc(list, func(a, b known) int { return cmp.Compare(b.score, a.score) })
				for _, k := range []int{0, 1, 10, len(list), 2*len(list) + 1} {
					hits, err := s.Search(t.Context(), Query{Vector: q, K: k, Decoded: decoded})
					if err != nil {
						t.Fatal(err)
					}
					checkHits(t, hits, list[:min(k, len(list))])
				}
				if len(list) > 5 {
					least := (list[4].score + list[5].score) / 2
					hits, err := s.Search(t.Context(), Query{Vector: q, K: len(list), Min: &least, Decoded: decoded})
					for i, h := range hits {
						if h.Score < least || i > 0 && h.Score > hits[i-1].Score {
							t.Errorf("score %v, at least %v", h.Score, least)
						}
					}
					if err != nil || list[4].score > list[5].score+1e-5 && len(hits) != 5 {
						t.Errorf("%d hits of at least %v (%v)", len(hits), least, err)
					}
				}
				slices.SortFunc(list, func(a, b known) int { return cmp.Compare(a.name, b.name) })
			}
		})
	}
}

func checkHits(t *testing.T, hits []Hit, want []known) {
	t.Helper()
	if len(hits) != len(want) {
		t.Fatalf("%d hits, want %d", len(hits), len(want))
	}
	for i, h := range hits {
		w := want[i]
		if math.Abs(h.Score-w.score) > 1e-5 {
			t.Fatalf("hit %d of %d: score %v, want %v", i, len(hits), h.Score, w.score)
		}
		if i > 0 && (h.Score > hits[i-1].Score || h.Score == hits[i-1].Score && h.Row.Name <= hits[i-1].Row.Name) {
			t.Fatalf("hit %d of %d: %s after %s, scores %v, %v", i, len(hits), h.Row.Name, hits[i-1].Row.Name, h.Score, hits[i-1].Score)
		}
		at := slices.IndexFunc(want, func(k known) bool { return k.name == h.Row.Name })
		if at >= 0 && (want[at].distance != h.Distance || math.Abs(want[at].score-h.Score) > 1e-5) {
			t.Fatalf("%s: %+v, want %+v", h.Row.Name, h, want[at])
		}
		if at < 0 && math.Abs(h.Score-want[len(want)-1].score) > 1e-5 {
			t.Fatalf("%s is not to be found", h.Row.Name)
		}
	}
}

// TestTwoStages: with few candidates the nearest are found first, and scored
// then, whatever the number of processors.
func TestTwoStages(t *testing.T) {
	l := newPlainLibrary(t, 128, 3*blockCodes+100, 1)
	rng := rand.New(rand.NewSource(4))
	s, list := l.open(t), l.all(t)
	q := make([]float32, 128)
	for i := range q {
		q[i] = float32(rng.NormFloat64())
	}
	compare(list, q, false)
	slices.SortStableFunc(list, func(a, b known) int { return cmp.Compare(a.distance, b.distance) })
	for _, m := range []int{1, 3, 50, 1000, 5000, len(list)} {
		want := slices.Clone(list[:m])
		slices.SortStableFunc(want, func(a, b known) int { return cmp.Compare(b.score, a.score) })
		for _, procs := range []int{1, 2, 7} {
			old := runtime.GOMAXPROCS(procs)
			got, err := s.candidates(t.Context(), q, m)
			runtime.GOMAXPROCS(old)
			if err != nil || len(got) != m {
				t.Fatalf("%d candidates, want %d (%v)", len(got), m, err)
			}
			for i, c := range got {
				if w := want[i]; math.Abs(c.score-w.score) > 1e-5 || fmt.Sprintf("p%06d", c.ordinal) != w.name && math.Abs(w.score-c.score) > 1e-6 {
					t.Fatalf("candidate %d of %d: %+v, want %+v", i, m, c, w)
				}
			}
		}
	}
}

// TestThirdStage: of the candidates of two stages the best are put in the order
// of their decoded vectors, and no others are found.
func TestThirdStage(t *testing.T) {
	l := newPlainLibrary(t, 128, 900, 4)
	s, list := l.open(t), l.all(t)
	rng := rand.New(rand.NewSource(4))
	moved := 0
	for range 5 {
		q := make([]float32, 128)
		for i := range q {
			q[i] = float32(rng.NormFloat64())
		}
		for _, c := range []struct{ k, decoded, n int }{{1, 0, leastDecoded}, {10, 30, 30}, {70, 0, 280}, {40, 3, 40}} {
			compare(list, q, false)
			slices.SortStableFunc(list, func(a, b known) int { return cmp.Compare(b.score, a.score) })
			two := slices.Clone(list[:c.n])
			first := two[0].name
			compare(two, q, true)
			slices.SortStableFunc(two, func(a, b known) int { return cmp.Compare(b.score, a.score) })
			if two[0].name != first {
				moved++
			}
			hits, err := s.Search(t.Context(), Query{Vector: q, K: c.k, Decoded: c.decoded})
			if err != nil {
				t.Fatal(err)
			}
			checkHits(t, hits, two[:c.k])
		}
	}
	if moved == 0 {
		t.Error("the third stage has moved nothing")
	}
}

// TestNotIndexed: a shard that is not the one that its index was made of is an
// error that names it, and not another picture.
func TestNotIndexed(t *testing.T) {
	l := newLibrary(t, 64, 100, 4)
	s := l.open(t)
	for i := range s.shards {
		for j := range s.shards[i].runs {
			if r := &s.shards[i].runs[j]; r.profile == format.Tuned {
				r.vectorBits++
			}
		}
	}
	_, err := s.Search(t.Context(), Query{Vector: make([]float32, 64), K: 100})
	var e *archive.ShardError
	if !errors.As(err, &e) || !errors.Is(err, errNotIndexed) {
		t.Errorf("error %v", err)
	}
}

// TestCancel: neither building nor searching outlives its context.
func TestCancel(t *testing.T) {
	l := newLibrary(t, 64, 200, 2)
	a := l.reader(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(l.dir, Folder)
	if _, err := Open(ctx, a, l.prior, Options{Dir: dir}); err != context.Canceled {
		t.Errorf("Open: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
	s := l.open(t)
	if _, err := s.Search(ctx, Query{Vector: make([]float32, 64), K: 1}); err != context.Canceled {
		t.Errorf("Search: %v", err)
	}
}

// BenchmarkStages searches 20,000 files of the tuned profile in two stages, and
// in three.
func BenchmarkStages(b *testing.B) {
	rng := rand.New(rand.NewSource(3))
	l := &library{dir: b.TempDir(), prior: testPrior(rng, 768)}
	w, err := archive.NewWriter(l.dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 20_000 {
		if err := w.Add(&archive.Row{Name: fmt.Sprintf("p%06d", i), Data: testFile(rng, l.prior, 2)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	s := l.open(b)
	q := make([]float32, 768)
	for i := range q {
		q[i] = float32(rng.NormFloat64())
	}
	for _, c := range []struct {
		name    string
		decoded int
	}{{"two", -1}, {"three", 0}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Search(b.Context(), Query{Vector: q, K: 10, Decoded: c.decoded}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
