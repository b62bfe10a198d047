package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const testPrint = "0123abcd"

func testOptions(rows int64) *Options {
	return &Options{Origin: Origin{Fingerprint: testPrint, Model: "test", Profile: "tuned"}, ShardRows: rows}
}

// testRow returns a row whose contents follow from its name and a version.
func testRow(name string, version int) *Row {
	r := rand.New(rand.NewPCG(uint64(len(name)), uint64(version)))
	data := make([]byte, 100+r.IntN(20))
	for i := range data {
		data[i] = byte(r.Uint32()) ^ name[i%len(name)]
	}
	row := &Row{Name: name, Data: data, Width: 640 + version, Height: 480, Size: int64(version) * 1000, Time: time.UnixMilli(1700000000000 + int64(version)).UTC()}
	if r.IntN(10) == 0 {
		row.Data, row.Error = nil, "unexpected EOF in "+name
	}
	return row
}

func testName(i int) string { return fmt.Sprintf("photos/%03d/IMG_%06d.jpg", i/1000, i) }

// fill writes rows to a new archive and returns its folder.
func fill(t testing.TB, o *Options, rows ...*Row) string {
	t.Helper()
	dir := t.TempDir()
	add(t, dir, o, rows...)
	return dir
}

func add(t testing.TB, dir string, o *Options, rows ...*Row) {
	t.Helper()
	w, err := NewWriter(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func openTest(t testing.TB, dir string) *Archive {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// wantRows fails unless an archive has exactly these rows.
func wantRows(t testing.TB, dir string, want ...*Row) {
	t.Helper()
	a := openTest(t, dir)
	var got []*Row
	for r, err := range a.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range got {
		wantRow(t, got[i], want[i])
	}
	for i := 0; i < len(want); i += max(1, len(want)/50) {
		got, err := a.Get(want[i].Name)
		if err != nil {
			t.Fatalf("%s: %v", want[i].Name, err)
		}
		wantRow(t, got, want[i])
	}
}

func wantRow(t testing.TB, got, want *Row) {
	t.Helper()
	if got.Name != want.Name || !slices.Equal(got.Data, want.Data) || got.Width != want.Width || got.Height != want.Height ||
		got.Size != want.Size || !got.Time.Equal(want.Time) || got.Error != want.Error {
		t.Fatalf("row\n%+v, want\n%+v", *got, *want)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000, 200_000} {
		if testing.Short() && n > 1000 {
			continue
		}
		var rows []*Row
		for i := range n {
			rows = append(rows, testRow(testName(i), 1))
		}
		dir := fill(t, testOptions(0), rows...)
		wantRows(t, dir, rows...)
		a := openTest(t, dir)
		for _, name := range []string{"a", "photos/000/IMG_000000.jpg0", "z", ""} {
			if _, err := a.Get(name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%d rows: Get(%q): %v", n, name, err)
			}
		}
	}
}

// TestConcurrent: an archive of more shards than are kept open is read by many
// at once.
func TestConcurrent(t *testing.T) {
	var rows []*Row
	for i := range 1000 {
		rows = append(rows, testRow(testName(i), 1))
	}
	a := openTest(t, fill(t, testOptions(10), rows...))
	if n := len(a.Shards()); n <= maxOpen {
		t.Fatalf("%d shards", n)
	}
	var readers sync.WaitGroup
	for n := range 4 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 0))
			for range 300 {
				i := r.IntN(len(rows))
				if got, err := a.Get(rows[i].Name); err != nil || got.Name != rows[i].Name || !slices.Equal(got.Data, rows[i].Data) {
					t.Errorf("%s: %v", rows[i].Name, err)
					return
				}
			}
		})
	}
	i := 0
	for row, err := range a.Rows() {
		if err != nil || row.Name != rows[i].Name {
			t.Fatalf("row %d: %v", i, err)
		}
		i++
	}
	readers.Wait()
	if len(a.open) > maxOpen {
		t.Errorf("%d shards are open", len(a.open))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Get(rows[0].Name); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestOrder: rows in any order, several shards, several runs, rows that replace
// others and tombstones.
func TestOrder(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 2))
	dir := t.TempDir()
	model := map[string]*Row{}
	for version := range 12 {
		o := testOptions(500)
		w, err := NewWriter(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		for range r.IntN(1500) {
			row := testRow(testName(r.IntN(3000)), version)
			if r.IntN(5) == 0 {
				row = &Row{Name: row.Name}
				delete(model, row.Name)
				err = w.Remove(row.Name)
			} else {
				model[row.Name] = row
				err = w.Add(row)
			}
			if err == nil && r.IntN(200) == 0 {
				err = w.Flush()
			}
			if err == nil && r.IntN(500) == 0 {
				err = w.Compact(t.Context(), nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var want []*Row
		for _, row := range model {
			want = append(want, row)
		}
		slices.SortFunc(want, func(a, b *Row) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		wantRows(t, dir, want...)
	}
}
