package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/parquet-go/parquet-go"
)

// smallShard returns an archive of one shard with a few groups and pages, its
// rows, and the shard's file.
func smallShard(t testing.TB) (dir string, rows []*Row, data []byte) {
	for i := range 900 {
		rows = append(rows, testRow(testName(i), i%3))
	}
	dir = fill(t, testOptions(0), rows...)
	data, err := os.ReadFile(filepath.Join(dir, shardName(0)))
	if err != nil {
		t.Fatal(err)
	}
	return dir, rows, data
}

// inMemory returns an archive whose only shard has these bytes.
func inMemory(m *Manifest, data []byte) *Archive {
	return newArchive(fstest.MapFS{m.Shards[0].Name: {Data: data}}, m)
}

// TestDamage: whatever bit of a shard changes, and wherever it is cut, its rows
// are what they were or an error that names the shard.
func TestDamage(t *testing.T) {
	dir, rows, data := smallShard(t)
	m := openTest(t, dir).Manifest()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	errs := 0
	for n := range 1500 {
		bad := bytes.Clone(data)
		at := r.IntN(len(bad))
		if n%3 == 0 { // more often in the metadata
			at = len(bad) - 1 - r.IntN(min(len(bad), 6000))
		}
		bad[at] ^= 1 << r.IntN(8)
		if n%10 == 9 {
			bad = bad[:at]
		}
		a := inMemory(m, bad)
		i := 0
		failed := false
		for row, err := range a.Rows() {
			if err != nil {
				wantShardError(t, err)
				failed = true
				break
			}
			wantRow(t, row, rows[i])
			i++
		}
		if failed {
			errs++
		} else if i != len(rows) {
			t.Fatalf("byte %d: %d rows and no error", at, i)
		}
		want := rows[r.IntN(len(rows))]
		row, err := a.Get(want.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			t.Fatalf("byte %d: %s is not found", at, want.Name)
		case err != nil:
			wantShardError(t, err)
		default:
			wantRow(t, row, want)
		}
		if _, err := a.Get("photos/000/nothing"); err == nil {
			t.Fatal("found what is not there")
		}
		for s, err := range a.Check(t.Context(), nil) {
			if err == nil {
				t.Errorf("byte %d: Check finds nothing wrong", at)
			}
			_ = s
		}
		a.Close()
	}
	t.Logf("%d of 1500 are errors in reading all rows", errs)
	if errs < 1000 {
		t.Error("few errors: is the damage done?")
	}
}

func wantShardError(t *testing.T, err error) {
	t.Helper()
	var shard *ShardError
	if !errors.As(err, &shard) || shard.Shard != shardName(0) || !strings.HasPrefix(err.Error(), shardName(0)+": ") {
		t.Fatalf("error %v does not name the shard", err)
	}
}

// TestOthersReadable: one bad shard leaves the rows of the others.
func TestOthersReadable(t *testing.T) {
	var rows []*Row
	for i := range 300 {
		rows = append(rows, testRow(testName(i), 1))
	}
	dir := fill(t, testOptions(100), rows...)
	for _, c := range []struct {
		name  string
		spoil func(path string) error
		want  error
		says  string
	}{
		{"cut", func(path string) error { return os.Truncate(path, 1000) }, errCut, "cut short"},
		{"missing", os.Remove, errMissing, "no such file"},
		{"empty", func(path string) error { return os.Truncate(path, 0) }, errCut, "cut short"},
		{"no Parquet", func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), 20000), 0o666) }, errMagic, "not a Parquet file"},
		{"other model", func(path string) error {
			return writeShard(path, map[string]string{noteVersion: "1", noteFingerprint: "ffffffff"})
		}, ErrModel, "another model"},
		{"later version", func(path string) error {
			return writeShard(path, map[string]string{noteVersion: "2", noteFingerprint: testPrint})
		}, nil, `shard version "2"`},
		{"no shard", func(path string) error { return writeShard(path, nil) }, errNoShard, "not a shard"},
		{"other rows", func(path string) error {
			return writeShard(path, map[string]string{noteVersion: "1", noteFingerprint: testPrint})
		}, errRows, "number of rows"},
	} {
		bad := copyFolder(t, dir)
		if err := c.spoil(filepath.Join(bad, shardName(1))); err != nil {
			t.Fatal(err)
		}
		a := openTest(t, bad)
		got, errs := 0, 0
		for row, err := range a.Rows() {
			if err != nil {
				errs++
				if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), shardName(1)) {
					t.Errorf("%s: %v", c.name, err)
				}
				continue
			}
			if row.Name >= rows[100].Name && row.Name < rows[200].Name {
				t.Errorf("%s: %s was read", c.name, row.Name)
			}
			got++
		}
		if got != 200 || errs != 1 {
			t.Errorf("%s: %d rows, %d errors", c.name, got, errs)
		}
		if _, err := a.Get(rows[250].Name); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := a.Get(rows[150].Name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Get of a lost row: %v", c.name, err)
		}
	}
}

// writeShard writes a Parquet file of one row that is longer than most.
func writeShard(path string, notes map[string]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	var options []parquet.WriterOption
	for k, v := range notes {
		options = append(options, parquet.KeyValueMetadata(k, v))
	}
	w := parquet.NewGenericWriter[parquetRow](f, options...)
	_, err = w.Write([]parquetRow{{Name: "a", Data: make([]byte, 100_000)}})
	return errors.Join(err, w.Close(), f.Close())
}

// TestManifest: a manifest that is not one, or is damaged, is an error.
func TestManifest(t *testing.T) {
	dir, _, _ := smallShard(t)
	good, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		if _, err := parseManifest(bad); err == nil {
			t.Errorf("a changed byte at %d is no error", at)
		}
	}
	for _, c := range []struct {
		change func(m *Manifest)
		says   string
	}{
		{func(m *Manifest) { m.Shards[0].Name = "../part-00000000.parquet" }, "not a shard's name"},
		{func(m *Manifest) { m.Shards[0].Name = "part-0000000x.parquet" }, "not a shard's name"},
		{func(m *Manifest) { m.Shards[0].Rows = -1 }, "not a shard's entry"},
		{func(m *Manifest) { m.Shards[0].SHA256 = "00" }, "not a shard's entry"},
		{func(m *Manifest) { m.Shards[0].First = "" }, "first or last"},
		{func(m *Manifest) { m.Shards = append(m.Shards, m.Shards[0]) }, "order of their numbers"},
		{func(m *Manifest) { m.Next = shardNumber(m.Shards[0].Name) }, "order of their numbers"},
		{func(m *Manifest) { m.Shards, m.Next = nil, -1 }, "order of their numbers"},
		{func(m *Manifest) { m.Next = maxShards + 1 }, "order of their numbers"},
		{func(m *Manifest) { m.Fingerprint = "\x1b[2J" }, "eight hex digits"},
		{func(m *Manifest) { m.Version = 2 }, "archive version 2"},
		{func(m *Manifest) { m.Version = 0 }, "no version"},
	} {
		m, err := parseManifest(good)
		if err != nil {
			t.Fatal(err)
		}
		c.change(m)
		data, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(data); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want %q", err, c.says)
		}
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestManifestSize: a manifest that would be longer than is read is not written,
// and a longer one is not read.
func TestManifestSize(t *testing.T) {
	if _, err := OpenFS(fstest.MapFS{ManifestName: {Data: make([]byte, maxManifest+1)}}); !errors.Is(err, errLarge) {
		t.Errorf("a longer one: %v", err)
	}
	shards := make([]ShardInfo, maxManifest/(12*MaxName)+1) // a control character takes six bytes
	for i := range shards {
		name := strings.Repeat("\x01", MaxName)
		shards[i] = ShardInfo{Name: ShardName(i), Rows: 1, First: name, Last: name, Bytes: 1, SHA256: strings.Repeat("0", 64)}
	}
	if _, _, err := NewManifest(testPrint, shards); !errors.Is(err, errShards) {
		t.Errorf("too many shards: %v", err)
	}
	if _, data, err := NewManifest(testPrint, shards[:len(shards)-40]); err != nil || len(data) < maxManifest*9/10 {
		t.Errorf("almost too many: %d bytes, %v", len(data), err)
	}
}

// TestSame compares what this package reads with what parquet-go reads, and reads
// what parquet-go writes in other ways: data pages of version 1, other columns,
// no compression.
func TestSame(t *testing.T) {
	_, rows, data := smallShard(t)
	theirs, err := parquet.Read[parquetRow](bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(theirs) != len(rows) {
		t.Fatalf("parquet-go reads %d rows", len(theirs))
	}
	for i, p := range theirs {
		row := &Row{Name: p.Name, Data: p.Data, Width: int(p.Width), Height: int(p.Height), Size: p.Size, Time: time.UnixMilli(p.Time)}
		if p.Error != nil {
			row.Error = *p.Error
		}
		wantRow(t, row, rows[i])
	}
	type wider struct {
		Before string `parquet:"a_before,plain"`
		parquetRow
		List []string `parquet:"list"`
	}
	wide := make([]wider, len(theirs))
	for i, p := range theirs {
		wide[i] = wider{"b", p, []string{"c", "d"}}
	}
	notes := parquet.WriterOption(parquet.KeyValueMetadata(noteVersion, "1"))
	var out [3]bytes.Buffer
	write(t, &out[0], theirs, notes, parquet.DataPageVersion(1), parquet.PageBufferSize(500), parquet.MaxRowsPerRowGroup(100))
	write(t, &out[1], wide, notes, parquet.DataPageVersion(2), parquet.PageBufferSize(2000))
	write(t, &out[2], theirs, notes, parquet.DictionaryMaxBytes(8), parquet.PageBufferSize(300))
	for i := range out {
		r := bytes.NewReader(out[i].Bytes())
		foot, err := readFooter(r, r.Size())
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		n := 0
		for got, err := range scan(r, foot, 0, allColumns) {
			if err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			wantRow(t, &got.row, rows[n])
			if n%37 == 0 {
				one, err := readRow(r, foot, int64(n), allColumns)
				if err != nil {
					t.Fatalf("%d: row %d: %v", i, n, err)
				}
				wantRow(t, one, rows[n])
			}
			n++
		}
		if n != len(rows) {
			t.Errorf("%d: %d rows", i, n)
		}
	}
}

func write[T any](t *testing.T, to io.Writer, rows []T, options ...parquet.WriterOption) {
	t.Helper()
	w := parquet.NewGenericWriter[T](to, options...)
	_, err := w.Write(rows)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestColumns: a shard without a column, or with one of another kind, is an error
// that names the column.
func TestColumns(t *testing.T) {
	type missing struct {
		Name string `parquet:"name,plain"`
	}
	type kind struct {
		Name  string   `parquet:"name,plain"`
		Data  [16]byte `parquet:"coclico"` // FIXED_LEN_BYTE_ARRAY
		Other int32    `parquet:"width"`
	}
	type micro struct {
		Name   string  `parquet:"name,plain"`
		Data   []byte  `parquet:"coclico,plain"`
		Width  int32   `parquet:"width"`
		Height int32   `parquet:"height"`
		Size   int64   `parquet:"source_bytes"`
		Time   int64   `parquet:"source_time,timestamp(microsecond)"`
		Error  *string `parquet:"error,optional,plain"`
	}
	type deltas struct {
		Name   string  `parquet:"name,delta"`
		Data   []byte  `parquet:"coclico,plain"`
		Width  int32   `parquet:"width"`
		Height int32   `parquet:"height"`
		Size   int64   `parquet:"source_bytes"`
		Time   int64   `parquet:"source_time,timestamp(millisecond)"`
		Error  *string `parquet:"error,optional,plain"`
	}
	var out [4]bytes.Buffer
	write(t, &out[0], []missing{{"a"}})
	write(t, &out[1], []kind{{Name: "a"}})
	write(t, &out[2], []micro{{Name: "a", Data: []byte("b")}})
	write(t, &out[3], []deltas{{Name: "a", Data: []byte("b")}})
	for i, says := range []string{"no column coclico", "column coclico is of another type", "source_time is not a timestamp in milliseconds", "name has an encoding"} {
		r := bytes.NewReader(out[i].Bytes())
		foot, err := readFooter(r, r.Size())
		if err == nil {
			for _, e := range scan(r, foot, 0, allColumns) {
				err = e
			}
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}

// FuzzShard: no shard makes the reader crash, hang, or take much memory.
func FuzzShard(f *testing.F) {
	why := "an error"
	rows := []parquetRow{{Name: "a", Data: []byte("b"), Width: 1}, {Name: "aa", Error: &why}, {Name: "b", Data: []byte("c")}}
	for version := 1; version <= 2; version++ { // small, for what fuzzing minimizes is slow otherwise
		var b bytes.Buffer
		w := parquet.NewGenericWriter[parquetRow](&b, parquet.KeyValueMetadata(noteVersion, "1"), parquet.DataPageVersion(version), parquet.MaxRowsPerRowGroup(2))
		_, err := w.Write(rows)
		if err := errors.Join(err, w.Close()); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := bytes.NewReader(data)
		foot, err := readFooter(r, r.Size())
		if err == nil {
			for _, err := range scan(r, foot, 0, allColumns) {
				if err != nil {
					break
				}
			}
			_, _, _ = find(r, foot, "a")
			if foot.rows > 0 {
				_, _ = readRow(r, foot, foot.rows-1, allColumns)
			}
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 512<<20 {
			t.Errorf("%d bytes allocated for a file of %d", n, len(data))
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"version": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		again, err := m.encode()
		if err != nil || !bytes.Equal(again, data) {
			t.Error("a manifest that is not what it is written as")
		}
	})
}

// TestSameName: a shard that has a name twice is an error.
func TestSameName(t *testing.T) {
	dir, _, _ := smallShard(t)
	m := openTest(t, dir).Manifest()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b)
	for key, value := range (&Origin{Fingerprint: m.Fingerprint}).notes() {
		w.SetKeyValueMetadata(key, value)
	}
	if _, err := w.Write([]parquetRow{{Name: "a", Data: []byte("1")}, {Name: "b", Data: []byte("2")}, {Name: "b", Data: []byte("3")}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m.Shards = m.Shards[:1]
	m.Shards[0].Bytes, m.Shards[0].Rows, m.Shards[0].First = int64(b.Len()), 3, "a"
	var names []string
	var last error
	for r, err := range inMemory(m, b.Bytes()).shards[0].Rows() {
		if last = err; err == nil {
			names = append(names, r.Name)
		}
	}
	if !errors.Is(last, errOrder) || strings.Join(names, " ") != "a b" {
		t.Errorf("rows %v, then %v", names, last)
	}
}

// TestIndexOfPage: a page that is not as its index says is an error, in its
// length and in its rows.
func TestIndexOfPage(t *testing.T) {
	_, _, data := smallShard(t)
	r := bytes.NewReader(data)
	foot, err := readFooter(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, col := range allColumns {
		c := &foot.groups[0].chunks[col]
		index, err := readIndex(r, &foot.groups[0], col)
		if err != nil {
			t.Fatal(err)
		}
		l := index[len(index)-1]
		if _, err := readPage(r, c, col, l); err != nil {
			t.Fatal(err)
		}
		for _, change := range []func(l *location){func(l *location) { l.rows-- }, func(l *location) { l.rows++ }, func(l *location) { l.size++ }, func(l *location) { l.size-- }} {
			bad := l
			change(&bad)
			if _, err := readPage(r, c, col, bad); err != errIndex {
				t.Errorf("column %s: %+v, not %+v: error %v", columns[col].name, bad, l, err)
			}
		}
	}
}

// TestPageSizes: the longest names, errors and pictures make pages that are read,
// and larger ones are an error before they are allocated.
func TestPageSizes(t *testing.T) {
	var rows []*Row
	for i := range 2100 {
		rows = append(rows, &Row{Name: testName(i) + strings.Repeat("x", MaxName-len(testName(i))), Error: strings.Repeat("e", MaxName), Time: time.UnixMilli(1)})
	}
	for i := 2100; i < 2140; i++ {
		rows = append(rows, &Row{Name: testName(i), Data: bytes.Repeat([]byte{byte(i)}, MaxData), Time: time.UnixMilli(1)})
	}
	dir := fill(t, &Options{Origin: testOptions(0).Origin}, rows...)
	wantRows(t, dir, rows...)
	for _, c := range []struct {
		h  func(w *pageHeader)
		ok bool
	}{
		{func(h *pageHeader) { h.size, h.values = maxPage, maxValues }, true},
		{func(h *pageHeader) { h.size = maxPage + 1 }, false},
		{func(h *pageHeader) { h.compressed = maxPage + 1 }, false},
		{func(h *pageHeader) { h.values = maxValues + 1 }, false},
	} {
		h := pageHeader{size: 1, compressed: 1, values: 1}
		c.h(&h)
		b := []byte{0x15, 0} // type: a data page
		b = appendField(b, 1, int64(h.size))
		b = appendField(b, 1, int64(h.compressed))
		b = append(b, 0x2c) // data page header
		b = append(appendField(b, 1, int64(h.values)), 0, 0)
		_, _, err := parseHeader(b)
		if ok := err == nil; ok != c.ok || !ok && err != errPageSize {
			t.Errorf("%+v: error %v", h, err)
		}
	}
}

// appendField appends a field of 32 bits of Thrift's compact protocol.
func appendField(b []byte, delta byte, v int64) []byte {
	return binary.AppendVarint(append(b, delta<<4|thriftI32), v)
}
