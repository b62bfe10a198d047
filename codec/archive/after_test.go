package archive

import (
	"errors"
	"testing"
)

// TestRowsAfter: a list that is read page by page is the whole list, whether a
// page begins after a name of the archive, between two, or after a name that a
// newer shard has replaced or removed; across pages, row groups and shards.
func TestRowsAfter(t *testing.T) {
	n := 3000
	if !testing.Short() {
		n = 150_000 // more than a row group
	}
	var old, newer []*Row
	for i := range n {
		old = append(old, testRow(testName(i), 1))
		if i%7 == 3 {
			newer = append(newer, testRow(testName(i), 2))
		}
	}
	dir := fill(t, testOptions(0), old...)
	w, err := NewWriter(dir, testOptions(0))
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range newer {
		if i%5 == 1 {
			err = w.Remove(row.Name)
		} else {
			err = w.Add(row)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Flush(), w.Close()); err != nil {
		t.Fatal(err)
	}
	a := openTest(t, dir)
	if n := a.Manifest().Overlap(); n < 2 && !testing.Short() {
		t.Fatalf("names are in %d shards", n) // small ones were merged
	}
	var all []*Row
	for row, err := range a.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if len(all) < n/2 || len(all) >= n {
		t.Fatalf("%d rows of %d", len(all), n)
	}
	page := func(after string, want []*Row) {
		t.Helper()
		i := 0
		for row, err := range a.RowsAfter(after) {
			if err != nil {
				t.Fatalf("after %q: %v", after, err)
			}
			if i == len(want) {
				t.Fatalf("after %q: more than %d rows", after, i)
			}
			wantRow(t, row, want[i])
			if i++; i == 40 {
				return
			}
		}
		if i != len(want) {
			t.Fatalf("after %q: %d rows, want %d", after, i, len(want))
		}
	}
	page("", all)
	page("a", all)
	for i := 0; i < len(all); i += max(1, len(all)/300) {
		page(all[i].Name, all[i+1:])
		page(all[i].Name+"!", all[i+1:])
	}
	page(all[len(all)-1].Name, nil)
	page("z", nil)
}
