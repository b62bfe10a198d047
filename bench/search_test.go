package bench

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/search"
)

func BenchmarkSearch100K(b *testing.B) { benchmarkSearch(b, 100_000) }
func BenchmarkSearch1M(b *testing.B)   { benchmarkSearch(b, 1_000_000) }
func BenchmarkSearch10M(b *testing.B)  { benchmarkSearch(b, 10_000_000) }

// benchmarkSearch makes an archive of n files of random bits and its index, and
// finds the ten pictures nearest to random vectors. It reports the seconds in
// which the index is made, and in which it is opened again, too.
func benchmarkSearch(b *testing.B, n int) {
	r := rand.New(rand.NewPCG(1, 1))
	prior := format.Prior{Moments: make([]format.Moment, 768)}
	for i := range prior.Moments {
		prior.Moments[i].Std = 1 << 23
	}
	h := format.NewHeader(768)
	s := format.Symbols{Vector: make([]uint16, 768), ColorMap: format.ColorMap{Y: make([]uint8, 64), U: make([]uint8, 16), V: make([]uint8, 16)}}
	dir := b.TempDir()
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}})
	if err != nil {
		b.Fatal(err)
	}
	row := &archive.Row{Data: format.Marshal(h, s, prior)}
	for range 64 { // the files that are stored: those of random bits
		for i := range s.Vector {
			s.Vector[i] = uint16(r.IntN(2))
		}
		for _, p := range [][]uint8{s.Y, s.U, s.V} {
			for i := range p {
				p[i] = uint8(r.IntN(4))
			}
		}
		if data := format.Marshal(h, s, prior); len(data) == 122 {
			row.Data = data
		}
	}
	if len(row.Data) != 122 {
		b.Fatalf("a file of random bits has %d bytes", len(row.Data))
	}
	for i := range n {
		for k := 2; k < 122; k += 8 { // any bits make a file
			for j, v := k, r.Uint64(); j < k+8; j++ {
				row.Data[j] = byte(v)
				v >>= 8
			}
		}
		row.Name = fmt.Sprintf("%010d", i)
		if err := w.Add(row); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	a, err := archive.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	open := func() (*search.Set, float64) {
		begun := time.Now()
		set, err := search.Open(b.Context(), a, prior, search.Options{Dir: filepath.Join(dir, search.Folder)})
		if err != nil {
			b.Fatal(err)
		}
		return set, time.Since(begun).Seconds()
	}
	set, built := open()
	if err := set.Close(); err != nil {
		b.Fatal(err)
	}
	set, opened := open()
	defer set.Close()
	if set.Counts.Codes != int64(n) {
		b.Fatalf("%+v", set.Counts)
	}
	q := make([]float32, 768)
	for b.Loop() {
		for i := range q {
			q[i] = float32(r.NormFloat64())
		}
		if hits, err := set.Search(b.Context(), search.Query{Vector: q, K: 10}); err != nil || len(hits) != 10 {
			b.Fatal(len(hits), err)
		}
	}
	b.ReportMetric(built, "s/index")
	b.ReportMetric(float64(n)/built, "rows/s")
	b.ReportMetric(opened, "s/open")
}
