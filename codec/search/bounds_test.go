package search

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/coclico/coclico/codec/archive"
)

// A countingFS counts the reads of its files.
type countingFS struct {
	fs.FS
	reads *atomic.Int64
}

type countedFile struct {
	fs.File
	io.ReaderAt
	reads *atomic.Int64
}

func (f countingFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return countedFile{file, file.(io.ReaderAt), f.reads}, nil
}

func (f countedFile) ReadAt(b []byte, at int64) (int, error) {
	f.reads.Add(1)
	return f.ReaderAt.ReadAt(b, at)
}

// TestLeast: a picture that was removed does not make a search for scores above
// the least one read all others, for none of them can take its place.
func TestLeast(t *testing.T) {
	const rows = 1000
	l := newPlainLibrary(t, 128, rows, 1)
	w, err := archive.NewWriter(l.dir, &archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("p%06d", rows/2)
	if err := w.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var reads atomic.Int64
	a, err := archive.OpenFS(countingFS{os.DirFS(l.dir), &reads})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s, err := Open(t.Context(), a, l.prior, Options{Dir: filepath.Join(l.dir, Folder)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	q, err := FileQuery(l.rows[name], l.prior)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ decoded, reads int }{{-1, 100}, {20, 150}} {
		reads.Store(0)
		q.K, q.Min, q.Candidates, q.Decoded = 10, new(0.9), 20, c.decoded
		hits, err := s.Search(t.Context(), q)
		if n := int(reads.Load()); err != nil || len(hits) != 0 || n == 0 || n > c.reads {
			t.Errorf("%+v: %d hits of %d reads, %v", c, len(hits), n, err)
		}
	}
}

// TestHuge: a query may ask for any number of hits and of candidates.
func TestHuge(t *testing.T) {
	l := newPlainLibrary(t, 64, blockCodes+100, 1)
	s := l.open(t)
	q := make([]float32, 64)
	q[0] = 1
	query := Query{Vector: q, K: math.MaxInt, Min: new(10.0), Candidates: math.MaxInt, Decoded: -1}
	if hits, err := s.Search(t.Context(), query); err != nil || len(hits) != 0 {
		t.Errorf("%d hits, %v", len(hits), err)
	}
}

// TestBatches: large files make batches of few rows.
func TestBatches(t *testing.T) {
	const rows = 20
	entries := func(yield func(archive.Entry, error) bool) {
		data := make([]byte, archive.MaxData)
		for i := range int64(rows) {
			if !yield(archive.Entry{Row: i, Data: data}, nil) {
				return
			}
		}
	}
	n := 0
	for b := range batches(t.Context(), entries) {
		n += len(b.ends)
		if len(b.data) >= batchBytes+archive.MaxData {
			t.Errorf("a batch of %d bytes", len(b.data))
		}
	}
	if n != rows {
		t.Errorf("%d rows", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for b := range batches(ctx, entries) {
		if len(b.ends) > 0 || !errors.Is(b.err, context.Canceled) {
			t.Errorf("after the context's end: %d rows, %v", len(b.ends), b.err)
		}
	}
}

// TestLive: the names of shards that all overlap are read once, to find the rows
// that count.
func TestLive(t *testing.T) {
	const rows, shards = 50, 12
	dir := t.TempDir()
	for range shards {
		w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}, ShardRows: rows})
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if err := w.Remove(fmt.Sprintf("p%06d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var reads atomic.Int64
	a, err := archive.OpenFS(countingFS{os.DirFS(dir), &reads})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s, err := Open(t.Context(), a, testPrior(rand.New(rand.NewSource(1)), 64), Options{Dir: filepath.Join(dir, Folder)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	reads.Store(0)
	live, err := s.live(t.Context())
	if err != nil || len(live) != shards {
		t.Fatalf("%d shards, %v", len(live), err)
	}
	if n := reads.Load(); n > 10*shards {
		t.Errorf("%d reads of %d shards", n, shards)
	}
	for i, bits := range live {
		if last := i == shards-1; last != (bits == nil) || !last && bits[0] != 0 {
			t.Errorf("shard %d: %x", i, bits)
		}
	}
}
