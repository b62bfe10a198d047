package search

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/coclico/coclico/codec/format"
)

func indexFiles(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, Folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestRebuild: an index is made once, again if it is missing or wrong, and goes
// with its shard.
func TestRebuild(t *testing.T) {
	l := newLibrary(t, 64, 100, 2)
	a := l.reader(t)
	dir := filepath.Join(l.dir, Folder)
	built := func() int64 {
		done, total := int64(0), int64(0)
		s, err := Open(t.Context(), a, l.prior, Options{Dir: dir, Progress: func(d, n int64) { done, total = d, n }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if s.Counts != l.counts || done != total {
			t.Errorf("counts %+v, want %+v; %d of %d rows", s.Counts, l.counts, done, total)
		}
		return total
	}
	if n := built(); n != l.counts.Rows {
		t.Errorf("%d rows were indexed, want %d", n, l.counts.Rows)
	}
	files := indexFiles(t, l.dir)
	if len(files) != len(a.Shards()) || built() != 0 {
		t.Errorf("%d files for %d shards, or made twice", len(files), len(a.Shards()))
	}
	path := filepath.Join(dir, files[0])
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var k key
	copy(k.shard[:], whole[52:])
	copy(k.prior[:], whole[44:])
	le := binary.LittleEndian
	rows := int64(le.Uint64(whole[16:]))
	if x, err := openIndex(t.Context(), path, k, 64, rows); err != nil {
		t.Error(err)
	} else {
		x.close()
	}
	stale := func(what any, bad []byte) {
		rewrite(t, path, bad)
		if _, err := openIndex(t.Context(), path, k, 64, rows); err != errStale {
			t.Errorf("%v of %d: an index that was changed is taken (%v)", what, len(whole), err)
		}
	}
	for i := range whole {
		bad := slices.Clone(whole)
		bad[i] ^= 0x41
		stale(i, bad)
	}
	for _, n := range []int{0, 7, headerBytes, len(whole) - 1} {
		stale(n, whole[:n])
	}
	stale("more", append(slices.Clone(whole), 0))
	if built() == 0 {
		t.Error("not made again")
	}
	if back, err := os.ReadFile(path); err != nil || !slices.Equal(back, whole) {
		t.Errorf("not the same index again (%v)", err)
	}
	gone := (&key{}).fileName()
	killed := tempPrefix + "0123456789" + tempSuffix
	others := []string{"notes.txt", "notes" + extension, "notes" + tempSuffix, "build-2024-thesis.tmp", "coclico-search-x.tmp", tempPrefix + tempSuffix} // somebody else's
	for _, name := range append(others, gone, killed) {
		rewrite(t, filepath.Join(dir, name), whole)
		if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-2*abandonedAfter)); err != nil {
			t.Fatal(err)
		}
	}
	// That of a shard that another process has added since.
	added := (&key{prior: priorKey(l.prior)}).fileName()
	rewrite(t, filepath.Join(dir, added), whole)
	built()
	want := append(append(slices.Clone(files), others...), added)
	slices.Sort(want)
	if now := indexFiles(t, l.dir); !slices.Equal(now, want) {
		t.Errorf("%v, want %v", now, want)
	}
	l.prior.Moments[3].Mean++
	if built() != l.counts.Rows {
		t.Error("indexes of other statistics are taken")
	}
}

// TestOpenCanceled: reading an index, which takes seconds from a slow disk, ends
// with the context.
func TestOpenCanceled(t *testing.T) {
	l := newLibrary(t, 64, 100, 2)
	l.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := Open(ctx, l.reader(t), l.prior, Options{Dir: filepath.Join(l.dir, Folder)})
	if err != context.Canceled {
		t.Error(err)
	}
	if err == nil {
		s.Close()
	}
}

// TestShared: in a folder that archives share, an index stays while somebody opens
// it now and then, and so does that of another archive. What killed builds left
// goes.
func TestShared(t *testing.T) {
	l := newLibrary(t, 64, 100, 2)
	a := l.reader(t)
	dir := t.TempDir()
	open := func() {
		t.Helper()
		s, err := Open(t.Context(), a, l.prior, Options{Dir: dir, Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	list := func() (names []string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	age := func(name string, age time.Duration) {
		t.Helper()
		if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	open()
	own := list()
	for _, name := range own {
		age(name, 2*unusedAfter)
	}
	used, unused := (&key{shard: [32]byte{1}}).fileName(), (&key{shard: [32]byte{2}}).fileName()
	killed, running := tempPrefix+"1"+tempSuffix, tempPrefix+"2"+tempSuffix
	for name, old := range map[string]time.Duration{used: unusedAfter - time.Hour, unused: unusedAfter + time.Hour, killed: 2 * abandonedAfter, running: 0} {
		rewrite(t, filepath.Join(dir, name), nil)
		age(name, old)
	}
	open()
	want := append(slices.Clone(own), used, running)
	slices.Sort(want)
	if now := list(); !slices.Equal(now, want) {
		t.Errorf("%v, want %v", now, want)
	}
	for _, name := range own {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || time.Since(info.ModTime()) > time.Hour {
			t.Errorf("%s is not known to be in use (%v)", name, err)
		}
	}
}

func rewrite(t testing.TB, path string, data []byte) {
	t.Helper()
	// A file that is mapped must not change: a new one takes its place.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// FuzzIndex opens indexes that have a right checksum and anything else, and
// searches them.
func FuzzIndex(f *testing.F) {
	const dim = 70
	prior := testPrior(rand.New(rand.NewSource(1)), dim)
	k := key{prior: priorKey(prior)}
	seed := func(rows int64, runs ...run) {
		x := &index{words: 2, runs: runs}
		x.Rows = rows
		for _, r := range runs {
			x.Codes += int64(r.n)
		}
		body := append(make([]byte, 16*x.Codes), encodeRuns(runs)...)
		f.Add(append(x.encodeHeader(k, dim, crc32.ChecksumIEEE(body)), body...), rows)
	}
	paper, tuned := kind{format.Paper, 1, 0}, kind{format.Tuned, 0, 70}
	seed(10, run{kind: paper, n: 10})
	seed(10, run{kind: tuned, row: 3, n: 2}, run{kind: paper, row: 5, n: 1}, run{kind: tuned, row: 9, n: 1})
	seed(1<<32-1, run{kind: tuned, row: 1<<32 - 2, n: 1})
	seed(4)
	f.Fuzz(func(t *testing.T, data []byte, rows int64) {
		if len(data) >= headerBytes {
			sum := checksum(crc32.ChecksumIEEE(data[headerBytes:]), data)
			binary.LittleEndian.PutUint32(data[124:], sum)
		}
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		x, err := openIndex(t.Context(), path, k, dim, rows)
		if err != nil {
			if err != errStale {
				t.Error(err)
			}
			return
		}
		defer x.close()
		s := &Set{dim: dim, words: x.words, shards: []shard{{index: x}}}
		s.arrange(prior)
		all, err := s.candidates(t.Context(), make([]float32, dim), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if row := s.place(c.ordinal).row; row < 0 || row >= rows {
				t.Fatalf("row %d of %d", row, rows)
			}
		}
	})
}

// BenchmarkDecode makes codes of 4,096 files: stored ones, and entropy-coded ones
// of both profiles.
func BenchmarkDecode(b *testing.B) {
	rng := rand.New(rand.NewSource(1))
	prior := testPrior(rng, 768)
	for _, c := range []struct {
		name    string
		profile format.Profile
		stored  bool
	}{{"stored", format.Paper, true}, {"paper", format.Paper, false}, {"tuned", format.Tuned, false}} {
		b.Run(c.name, func(b *testing.B) {
			h := format.NewHeader(768).WithProfile(c.profile)
			h.Fingerprint = prior.Fingerprint
			var work batch
			bits := h.Allocation(prior)
			for len(work.ends) < batchRows {
				s := format.Symbols{Vector: make([]uint16, 768), ColorMap: format.ColorMap{Y: make([]uint8, 64), U: make([]uint8, 16), V: make([]uint8, 16)}}
				for i, n := range bits {
					s.Vector[i] = uint16(rng.Intn(1 << n))
				}
				for i := range s.Y {
					if s.Y[i] = uint8(i / 16); c.stored {
						s.Y[i] = uint8(rng.Intn(4))
					}
				}
				data := format.Marshal(h, s, prior)
				if f, err := format.Parse(data); err == nil && f.Stored() == c.stored {
					work.data = append(work.data, data...)
					work.ends = append(work.ends, len(work.data))
				}
			}
			d := &builder{prior: prior, index: index{words: 12}}
			for b.Loop() {
				next := &batch{data: work.data, ends: work.ends, done: make(chan struct{})}
				todo := make(chan *batch, 1)
				todo <- next
				close(todo)
				if d.decode(todo); next.index.Codes != batchRows {
					b.Fatalf("%+v", next.index)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchRows), "ns/file")
		})
	}
}
