package bench

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/codec/archive"
)

// archiveRows are the rows of an archive of random bits: 112 bytes each, and
// names of 40 characters. Making them takes little time of a benchmark.
type archiveRows struct {
	bits       []byte
	name       []byte
	provenance bool // sizes and times of sources too
}

func newArchiveRows(provenance bool) *archiveRows {
	a := &archiveRows{make([]byte, 1<<20), []byte(archiveName(0)), provenance}
	rand.NewChaCha8([32]byte{1}).Read(a.bits)
	return a
}

func (a *archiveRows) row(i int) *archive.Row {
	putDigits(a.name[12:20], i/1000)
	putDigits(a.name[25:36], i)
	at := i * 37 % (len(a.bits) - 112)
	row := &archive.Row{Name: string(a.name), Data: a.bits[at : at+112], Width: 4032, Height: 3024}
	if a.provenance {
		random := binary.LittleEndian.Uint64(a.bits[at:])
		row.Size = int64(2_000_000 + random%4_000_000)
		row.Time = time.UnixMilli(1_700_000_000_000 + int64(i)*60_000 + int64(random>>32%60_000))
	}
	return row
}

func putDigits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

func archiveName(i int) string {
	return fmt.Sprintf("photos/2024/%08d/IMG_%011d.jpg", i/1000, i)
}

// writeArchive writes an archive of n rows and returns its folder.
func writeArchive(b *testing.B, n int, provenance bool) string {
	dir := b.TempDir()
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: hex.EncodeToString(make([]byte, 4))}})
	if err != nil {
		b.Fatal(err)
	}
	rows := newArchiveRows(provenance)
	for i := range n {
		if err := w.Add(rows.row(i)); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkArchiveWrite writes 10^6 rows. It reports bytes a row with the
// shards' overhead, and the process's resident memory at its greatest.
func BenchmarkArchiveWrite(b *testing.B) {
	for _, c := range []struct {
		name       string
		provenance bool
	}{{"bits", false}, {"provenance", true}} {
		b.Run(c.name, func(b *testing.B) {
			const n = 1_000_000
			for b.Loop() {
				dir := writeArchive(b, n, c.provenance)
				b.ReportMetric(float64(folderBytes(b, dir))/n, "bytes/row")
				os.RemoveAll(dir)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(peakMemory(), "MB-peak")
		})
	}
}

// BenchmarkArchiveGet looks names up in an archive of 10^6 rows, each time from
// its manifest on; BenchmarkArchiveGet10M in one of 10^7, which takes 1.2 GB of
// the temporary folder.
func BenchmarkArchiveGet(b *testing.B)    { benchmarkGet(b, 1_000_000) }
func BenchmarkArchiveGet10M(b *testing.B) { benchmarkGet(b, 10_000_000) }

func benchmarkGet(b *testing.B, n int) {
	dir := writeArchive(b, n, false)
	runtime.GC()
	i := 0
	for b.Loop() {
		i = (i*7919 + 12345) % n
		a, err := archive.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := a.Get(archiveName(i)); err != nil {
			b.Fatal(err)
		}
		a.Close()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapInuse)/1e6, "MB-heap")
}

// BenchmarkArchiveScan reads the names and bits of 10^6 rows, as the search index
// does, and all columns, as archive ls does.
func BenchmarkArchiveScan(b *testing.B) {
	const n = 1_000_000
	dir := writeArchive(b, n, true)
	a, err := archive.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	b.Run("entries", func(b *testing.B) {
		for b.Loop() {
			for _, s := range a.Shards() {
				for _, err := range s.Entries() {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("rows", func(b *testing.B) {
		for b.Loop() {
			for _, err := range a.Rows() {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func folderBytes(b *testing.B, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// peakMemory returns the greatest resident memory of the process so far in
// megabytes, 0 where that is not known.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseFloat(kilobytes, 64)
	return n * 1024 / 1e6
}
