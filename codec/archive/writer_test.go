package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestBusy: a second writer is told that there is one, and the archive is whole.
func TestBusy(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(dir, testOptions(0))
	if err != nil {
		t.Fatal(err)
	}
	if held, _ := lock(w.lock); !held {
		t.Skip("no locks")
	}
	if _, err := NewWriter(dir, testOptions(0)); !errors.Is(err, ErrBusy) {
		t.Errorf("a second writer: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w, err = NewWriter(dir, testOptions(0)); err != nil {
		t.Fatal(err)
	}
	w.Close()
}

// TestNoLocks: where there are no locks, two writers that add rows lose none.
func TestNoLocks(t *testing.T) {
	defer func(f func(*os.File) (bool, error)) { lockFile = f }(lockFile)
	lockFile = func(*os.File) (bool, error) { return false, nil }
	dir := t.TempDir()
	var all []*Row
	var writers [2]*Writer
	for i := range writers {
		w, err := NewWriter(dir, testOptions(50))
		if err != nil {
			t.Fatal(err)
		}
		writers[i] = w
	}
	for i := range 1000 {
		row := testRow(testName(i), 1)
		all = append(all, row)
		w := writers[i%2]
		if err := w.Add(row); err != nil {
			t.Fatal(err)
		}
		if i%70 == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The second writer's shard has its name when the first writes the manifest,
	// and the manifest that it read is out of date when it writes its own.
	p, err := newPart(dir, &writers[1].opt.Origin)
	if err != nil {
		t.Fatal(err)
	}
	row := testRow(testName(2000), 1)
	all = append(all, row)
	if err := errors.Join(p.add(row), p.finish(), p.publish(writers[1].manifest.Next)); err != nil {
		t.Fatal(err)
	}
	for _, w := range writers {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		w.lock.Close()
	}
	wantRows(t, dir, all...)
}

// TestNoLocksOrder: where there are no locks, closing a writer does not put its
// older row of a name before another writer's newer one.
func TestNoLocksOrder(t *testing.T) {
	defer func(f func(*os.File) (bool, error)) { lockFile = f }(lockFile)
	lockFile = func(*os.File) (bool, error) { return false, nil }
	dir := t.TempDir()
	var writers [2]*Writer
	for i := range writers {
		w, err := NewWriter(dir, testOptions(0))
		if err != nil {
			t.Fatal(err)
		}
		writers[i] = w
	}
	first, second := writers[0], writers[1]
	for _, name := range []string{"x", "y"} {
		if err := errors.Join(first.Add(testRow(name, 1)), first.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(second.Add(testRow("x", 2)), second.Flush(), first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, dir, testRow("x", 2), testRow("y", 1))
}

// TestLeftovers: what a killed run leaves is adopted or removed.
func TestLeftovers(t *testing.T) {
	var rows []*Row
	for i := range 100 {
		rows = append(rows, testRow(testName(i), 1))
	}
	dir := fill(t, testOptions(40), rows...)
	other := fill(t, testOptions(0), testRow("z", 1))
	data, err := os.ReadFile(filepath.Join(other, shardName(0)))
	if err != nil {
		t.Fatal(err)
	}
	m := openTest(t, dir).Manifest()
	for name, data := range map[string][]byte{
		shardName(m.Next + 3):     data, // complete, of a run that was killed
		shardName(m.Next):         {},   // a number that was claimed
		"shard-ABC.tmp":           data[:100],
		ManifestName + "-ABC.tmp": {'{'},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	wantRows(t, dir, rows...) // a reader knows the manifest alone
	add(t, dir, testOptions(40))
	rows = append(rows, testRow("z", 1))
	wantRows(t, dir, rows...)
	checkFolder(t, dir)

	m = openTest(t, dir).Manifest()
	if err := os.WriteFile(filepath.Join(dir, shardName(m.Next)), data[:1000], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := NewWriter(dir, testOptions(40)); err == nil || !strings.Contains(err.Error(), shardName(m.Next)+": invalid archive: cut short; it is not in the manifest") {
		t.Errorf("half a shard: %v", err)
	}
	wantRows(t, dir, rows...)
}

// TestLastNumber: a shard of the last number, which may be a stranger's, leaves
// the archive readable. No shard gets a number that readers refuse.
func TestLastNumber(t *testing.T) {
	dir := fill(t, testOptions(0), testRow("a", 1))
	other := fill(t, testOptions(0), testRow("z", 1))
	if err := os.Rename(filepath.Join(other, shardName(0)), filepath.Join(dir, shardName(maxShards-1))); err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(dir, testOptions(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(testRow("b", 1)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, errNoNumber) {
		t.Errorf("a shard beyond the last number: %v", err)
	}
	wantRows(t, dir, testRow("a", 1), testRow("z", 1))
	checkFolder(t, dir)
}

// TestWriterErrors: what an archive cannot hold, and archives that are not there.
func TestWriterErrors(t *testing.T) {
	o := testOptions(0)
	o.MustExist = true
	if _, err := NewWriter(t.TempDir(), o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no archive: %v", err)
	}
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, "thesis.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := NewWriter(own, testOptions(0)); err == nil || !strings.Contains(err.Error(), "has thesis.txt") {
		t.Errorf("somebody's folder: %v", err)
	}
	for _, fingerprint := range []string{"", "12", "ABCDEF01"} {
		if _, err := NewWriter(t.TempDir(), &Options{Origin: Origin{Fingerprint: fingerprint}}); !errors.Is(err, errFingerprint) {
			t.Errorf("fingerprint %q: error %v", fingerprint, err)
		}
	}
	if _, err := NewWriter(t.TempDir(), nil); !errors.Is(err, errFingerprint) {
		t.Errorf("a new archive without options: error %v", err)
	}
	dir := fill(t, testOptions(0), testRow("a", 1))
	if _, err := NewWriter(dir, &Options{Origin: Origin{Fingerprint: "ffffffff"}}); !errors.Is(err, ErrModel) {
		t.Errorf("another model: %v", err)
	}
	w, err := NewWriter(dir, &Options{})
	if err != nil {
		t.Fatal(err)
	}
	tall := int64(1 << 31) // negative as an int of 32 bits
	for _, r := range []*Row{
		{}, {Name: "\xff"}, {Name: strings.Repeat("a", MaxName+1)},
		{Name: "b", Data: make([]byte, MaxData+1)}, {Name: "b", Data: []byte("c"), Error: "d"},
		{Name: "b", Error: "\xff"}, {Name: "b", Error: strings.Repeat("e", MaxName+1)},
		{Name: "b", Width: -1}, {Name: "b", Height: int(tall)}, {Name: "b", Size: -1}, {Name: "b", Time: time.Unix(1<<61, 0)},
	} {
		if err := w.Add(r); err == nil {
			t.Errorf("%.10q is no error", r.Name)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(testRow("b", 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	wantRows(t, dir, testRow("a", 1))
}

// TestInterval: rows that come slowly are committed after the interval, and the
// small shards do not pile up.
func TestInterval(t *testing.T) {
	o := testOptions(0)
	o.Interval = time.Nanosecond
	dir := t.TempDir()
	w, err := NewWriter(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*Row
	for i := range 60 {
		rows = append(rows, testRow(testName(i), 1))
		if err := w.Add(rows[i]); err != nil {
			t.Fatal(err)
		}
		if i == 40 {
			wantRows(t, dir, rows...)
			if n := len(openTest(t, dir).Shards()); n > 2*manyParts {
				t.Errorf("%d shards", n)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantRows(t, dir, rows...)
	if n := len(openTest(t, dir).Shards()); n > 4 {
		t.Errorf("%d shards in the end", n)
	}
}

// TestGatherDamaged: a damaged shard is not merged with others, and does not make
// the writing of more rows fail.
func TestGatherDamaged(t *testing.T) {
	dir := fill(t, testOptions(0), testRow("a", 1), testRow("b", 1))
	spoilLastPage(t, filepath.Join(dir, shardName(0)))
	add(t, dir, testOptions(0), testRow("c", 1), testRow("d", 1))
	a := openTest(t, dir)
	var names []string
	errs := 0
	for row, err := range a.Rows() {
		if err != nil {
			wantShardError(t, err)
			errs++
			continue
		}
		names = append(names, row.Name)
	}
	if !slices.Equal(names, []string{"c", "d"}) || errs != 1 || len(a.Shards()) != 2 {
		t.Errorf("rows %q and %d errors in %d shards", names, errs, len(a.Shards()))
	}
}

// spoilLastPage damages the last page of pictures of a shard of one group.
func spoilLastPage(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	foot, err := readFooter(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	data[foot.groups[0].chunks[colData].end-10] ^= 1
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestGatherEnds: when the context has ended, rows are committed, and small
// shards are not merged any more.
func TestGatherEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := testOptions(0)
	o.Context = ctx
	dir := fill(t, testOptions(0), testRow("a", 1))
	cancel()
	add(t, dir, o, testRow("b", 1))
	wantRows(t, dir, testRow("a", 1), testRow("b", 1))
	if n := len(openTest(t, dir).Shards()); n != 2 {
		t.Errorf("%d shards", n)
	}
	checkFolder(t, dir)
}

// TestMerge: of rows of one name, the last archive's counts, and its tombstones
// do not count in the others.
func TestMerge(t *testing.T) {
	a := fill(t, testOptions(0), testRow("a", 1), testRow("b", 1), testRow("c", 1))
	b := fill(t, testOptions(0), testRow("b", 2), testRow("d", 2))
	other := fill(t, &Options{Origin: Origin{Fingerprint: "ffffffff"}}, testRow("e", 1))
	dir := filepath.Join(t.TempDir(), "c")
	if err := Merge(t.Context(), dir, []*Archive{openTest(t, a), openTest(t, b)}, nil, nil); err != nil {
		t.Fatal(err)
	}
	wantRows(t, dir, testRow("a", 1), testRow("b", 2), testRow("c", 1), testRow("d", 2))
	if err := Merge(t.Context(), dir, []*Archive{openTest(t, a), openTest(t, other)}, &Options{}, nil); !errors.Is(err, ErrModel) {
		t.Errorf("two models: %v", err)
	}
	checkFolder(t, dir)
	w, err := NewWriter(b, testOptions(0))
	if err != nil {
		t.Fatal(err)
	}
	// Without a Close, which would merge the tombstones with what they remove.
	if err := errors.Join(w.Remove("b"), w.Remove("c"), w.Add(testRow("f", 2)), w.Remove("f"), w.Flush(), w.lock.Close()); err != nil {
		t.Fatal(err)
	}
	if n := len(openTest(t, b).Shards()); n != 2 {
		t.Fatalf("%d shards", n)
	}
	removed := filepath.Join(t.TempDir(), "removed")
	if err := Merge(t.Context(), removed, []*Archive{openTest(t, a), openTest(t, b)}, &Options{}, nil); err != nil {
		t.Fatal(err)
	}
	wantRows(t, removed, testRow("a", 1), testRow("b", 1), testRow("c", 1), testRow("d", 2))
	if err := os.Truncate(filepath.Join(b, shardName(0)), 100); err != nil {
		t.Fatal(err)
	}
	if err := Merge(t.Context(), dir, []*Archive{openTest(t, a), openTest(t, b)}, &Options{}, nil); !errors.Is(err, errCut) || !strings.HasPrefix(err.Error(), b+": "+shardName(0)) {
		t.Errorf("a damaged archive: %v", err)
	}
	var damaged []error
	rest := filepath.Join(t.TempDir(), "rest")
	if err := Merge(t.Context(), rest, []*Archive{openTest(t, b), openTest(t, a)}, &Options{Damaged: func(err error) { damaged = append(damaged, err) }}, nil); err != nil {
		t.Fatal(err)
	}
	wantRows(t, rest, testRow("a", 1), testRow("b", 1), testRow("c", 1))
	if len(damaged) != 1 || !errors.Is(damaged[0], errCut) || !strings.HasPrefix(damaged[0].Error(), b+": "+shardName(0)) {
		t.Errorf("a damaged archive that is skipped: %v", damaged)
	}
}

// TestMergedOrigin: shards that are merged specify how all of their rows were
// made. Tombstones specify nothing.
func TestMergedOrigin(t *testing.T) {
	dir := t.TempDir()
	rows := 0
	for _, c := range []struct{ add, want Origin }{
		{Origin{Model: "m", Profile: "tuned", Params: "p"}, Origin{Model: "m", Profile: "tuned", Params: "p"}},
		{Origin{Software: "s"}, Origin{Model: "m", Profile: "tuned", Params: "p", Software: "s"}},
		{Origin{Model: "m", Profile: "paper", Params: "p"}, Origin{Model: "m", Profile: mixed, Params: "p", Software: "s"}},
		{Origin{Model: "n", Profile: "paper"}, Origin{Model: mixed, Profile: mixed, Params: "p", Software: "s"}},
	} {
		c.add.Fingerprint, c.want.Fingerprint = testPrint, testPrint
		w, err := NewWriter(dir, &Options{Origin: c.add})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Add(testRow(testName(rows), 1)), w.Compact(t.Context(), nil), w.Close()); err != nil {
			t.Fatal(err)
		}
		rows++
		if got, err := openTest(t, dir).Shards()[0].Origin(); err != nil || got != c.want {
			t.Errorf("%+v, want %+v (%v)", got, c.want, err)
		}
	}
}

// TestMergeDamagedPage: of a shard with a damaged page, the rows before it and
// those of the other shards are merged.
func TestMergeDamagedPage(t *testing.T) {
	dir, rows, data := smallShard(t)
	foot, err := readFooter(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	c := &foot.groups[0].chunks[colData]
	data[c.end-10] ^= 1 // in the last page
	m := openTest(t, dir).Manifest()
	other := fill(t, testOptions(0), testRow("zz", 1))
	var damaged []error
	to := filepath.Join(t.TempDir(), "to")
	if err := Merge(t.Context(), to, []*Archive{inMemory(m, data), openTest(t, other)}, &Options{Damaged: func(err error) { damaged = append(damaged, err) }}, nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	last := ""
	for row, err := range openTest(t, to).Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if last = row.Name; last != "zz" {
			wantRow(t, row, rows[n])
			n++
		}
	}
	if len(damaged) != 1 || n == 0 || n == len(rows) || last != "zz" {
		t.Errorf("%d of %d rows, the last %s, and %v", n, len(rows), last, damaged)
	}
}

// TestCompact: a compacted archive has full shards in one order and no trace of
// what was removed.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	var want []*Row
	for version := range 3 {
		var rows []*Row
		for i := version; i < 1000; i += 2 {
			rows = append(rows, testRow(testName(i), version))
		}
		add(t, dir, testOptions(200), rows...)
	}
	w, err := NewWriter(dir, testOptions(200))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		switch {
		case i%10 == 0:
			err = w.Remove(testName(i))
		case i%2 == 1:
			want = append(want, testRow(testName(i), 1))
		case i > 0:
			want = append(want, testRow(testName(i), 2))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Compact(t.Context(), nil), w.Close()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, dir, want...)
	checkFolder(t, dir)
	m := openTest(t, dir).Manifest()
	rows := int64(0)
	for _, s := range m.Shards {
		rows += s.Rows
	}
	if m.Overlap() != 1 || rows != int64(len(want)) || len(m.Shards) != (len(want)+199)/200 {
		t.Errorf("overlap %d, %d rows in %d shards", m.Overlap(), rows, len(m.Shards))
	}
}

// TestCompactMany: names that are in more shards than can be merged at once are
// put in one order too, and in one round more. A newer row replaces an older one,
// and a tombstone removes it, whichever of the groups they are in.
func TestCompactMany(t *testing.T) {
	const rows = 12 // of a shard
	dir := t.TempDir()
	w, err := NewWriter(dir, testOptions(rows))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var want []*Row
	for s := range 2*maxMerge + 2 {
		for i := range rows - 2 {
			row := testRow(fmt.Sprintf("%03d/%03d", i, s), 1)
			if err := w.Add(row); err != nil {
				t.Fatal(err)
			}
			want = append(want, row)
		}
		row := testRow("zz", s)
		if err := errors.Join(w.Add(row), w.Remove(fmt.Sprintf("000/%03d", s-100)), w.Flush()); err != nil {
			t.Fatal(err)
		}
		if s > 2*maxMerge {
			want = append(want, row)
		}
	}
	want = slices.DeleteFunc(want, func(r *Row) bool { return strings.HasPrefix(r.Name, "000/0") && r.Name < "000/030" })
	slices.SortFunc(want, func(a, b *Row) int { return strings.Compare(a.Name, b.Name) })
	wantRows(t, dir, want...)
	before := openTest(t, dir).Manifest()
	if n := before.Overlap(); n <= 2*maxMerge {
		t.Fatalf("overlap %d", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = w.Compact(ctx, func(done, _ int64) {
		if done > rowsIn(before.Shards) { // in the second round
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	checkFolder(t, dir)
	if m := openTest(t, dir).Manifest(); !slices.Equal(m.Shards, before.Shards) {
		t.Error("a Compact that was canceled has changed the archive")
	}
	done, total := int64(0), int64(0)
	if err := w.Compact(t.Context(), func(d, n int64) { done, total = d, n }); err != nil {
		t.Fatal(err)
	}
	if done != total || done > 2*rowsIn(before.Shards) {
		t.Errorf("%d of %d rows were read", done, total)
	}
	wantRows(t, dir, want...)
	checkFolder(t, dir)
	m := openTest(t, dir).Manifest()
	if m.Overlap() != 1 || rowsIn(m.Shards) != int64(len(want)) || len(m.Shards) != (len(want)+rows-1)/rows {
		t.Errorf("overlap %d, %d rows in %d shards", m.Overlap(), rowsIn(m.Shards), len(m.Shards))
	}
}

// TestChanged: whoever reads an archive while it is rewritten is told so, and
// RowsAfter of the new one resumes where Rows was.
func TestChanged(t *testing.T) {
	var rows []*Row
	for i := range 300 {
		rows = append(rows, testRow(testName(i), 1))
	}
	dir := fill(t, testOptions(100), rows...)
	a := openTest(t, dir)
	n, told := 0, false
	for row, err := range a.Rows() {
		if err != nil {
			told = true
			if wantShard := shardName(1) + ": "; !errors.Is(err, ErrChanged) || !strings.HasPrefix(err.Error(), wantShard) {
				t.Errorf("row %d: %v", n, err)
			}
			break
		}
		wantRow(t, row, rows[n])
		if n++; n == 50 {
			w, err := NewWriter(dir, testOptions(100))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(w.Compact(t.Context(), nil), w.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !told || n != 100 {
		t.Errorf("%d rows, and told of the change: %v", n, told)
	}
	for row, err := range openTest(t, dir).RowsAfter(rows[n-1].Name) {
		if err != nil {
			t.Fatal(err)
		}
		wantRow(t, row, rows[n])
		n++
	}
	if n != len(rows) {
		t.Errorf("%d rows", n)
	}
	skip := &Options{Damaged: func(err error) { t.Errorf("taken for damage: %v", err) }}
	if err := Merge(t.Context(), filepath.Join(t.TempDir(), "to"), []*Archive{a}, skip, nil); !errors.Is(err, ErrChanged) {
		t.Errorf("merge: %v", err)
	}
}

// TestProgress: Check, Compact and Merge report rows up to all of them, those
// that newer ones replace too.
func TestProgress(t *testing.T) {
	var rows []*Row
	for i := range 3000 {
		rows = append(rows, testRow(testName(i), 1))
	}
	dir := fill(t, testOptions(1000), rows...)
	add(t, dir, testOptions(1000), rows[:700]...)
	var seen []int64
	progress := func(done, total int64) {
		if total != 3700 {
			t.Errorf("%d rows in all", total)
		}
		seen = append(seen, done)
	}
	w, err := NewWriter(dir, testOptions(1000))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	a := w.Archive()
	defer a.Close()
	for name, f := range map[string]func() error{
		"check": func() (err error) {
			for _, e := range a.Check(t.Context(), progress) {
				err = errors.Join(err, e)
			}
			return err
		},
		"merge": func() error {
			return Merge(t.Context(), filepath.Join(t.TempDir(), "to"), []*Archive{a}, &Options{}, progress)
		},
	} {
		if seen = nil; f() != nil || !slices.Equal(seen, []int64{1024, 2048, 3072, 3700}) {
			t.Errorf("%s: %d", name, seen)
		}
	}
	if seen = nil; w.Compact(t.Context(), progress) != nil || !slices.Equal(seen, []int64{1024, 2048, 3072, 3700}) {
		t.Errorf("compact: %d", seen)
	}
}

// TestEntries: the numbers of rows are those that Find returns.
func TestEntries(t *testing.T) {
	var rows []*Row
	for i := range 250 {
		rows = append(rows, testRow(testName(i), 1))
	}
	a := openTest(t, fill(t, testOptions(100), rows...))
	i := 0
	for _, s := range a.Shards() {
		for e, err := range s.Entries() {
			if err != nil {
				t.Fatal(err)
			}
			if e.Name != rows[i].Name || !slices.Equal(e.Data, rows[i].Data) {
				t.Fatalf("entry %d is %s", i, e.Name)
			}
			shard, n, row, err := a.Find(e.Name)
			if err != nil || shard != s || n != e.Row || row.Name != e.Name {
				t.Fatalf("%s is row %d of %v, not %d: %v", e.Name, n, shard, e.Row, err)
			}
			i++
		}
	}
	if i != len(rows) {
		t.Errorf("%d entries", i)
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"a/é.jpg": "a/é.jpg", "a\xff.jpg": "a\uFFFDff.jpg", "\xc3": "\uFFFDc3", "\uFFFD": "\uFFFDef\uFFFDbf\uFFFDbd",
		"\uFFFDff": "\uFFFDef\uFFFDbf\uFFFDbdff", "": "",
	} {
		if got := Quote(path); got != want || Unquote(got) != path {
			t.Errorf("Quote(%q) = %q, and back %q", path, got, Unquote(got))
		}
	}
	for _, name := range []string{"\uFFFD", "\uFFFDf", "\uFFFD41", "\uFFFDFF", "a\uFFFDxy"} {
		if got := Unquote(name); got != name {
			t.Errorf("Unquote(%q) = %q", name, got)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("a\xff\uFFFD")
	f.Fuzz(func(t *testing.T, path string) {
		name := Quote(path)
		if !utf8.ValidString(name) || Unquote(name) != path {
			t.Errorf("Quote(%q) = %q, and back %q", path, name, Unquote(name))
		}
		if other := Unquote(path); utf8.ValidString(path) && other != path && Quote(other) != path {
			t.Errorf("Unquote(%q) = %q, which is quoted as %q", path, other, Quote(other))
		}
	})
}

func ExampleArchive_Rows() {
	a, err := Open("A")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	for row, err := range a.Rows() {
		if err != nil {
			fmt.Println(err) // the other shards follow
			continue
		}
		fmt.Println(row.Name, len(row.Data))
	}
}
