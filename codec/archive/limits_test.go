package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/parquet-go/parquet-go"
)

// TestManifestMemory: a list of what are no shards is an error before it is in
// memory, and so is what is no list.
func TestManifestMemory(t *testing.T) {
	for _, c := range []struct{ shards, says string }{
		{"[" + strings.Repeat("{},", 300_000) + "{}]", "not a shard's name"},
		{"[" + strings.Repeat("0,", 300_000) + "0]", "cannot unmarshal number"},
		{"{}", "no list of shards"},
	} {
		data := []byte(`{"version": 1, "shards": ` + c.shards + "}")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parseManifest(data)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d bytes allocated for %d, error %v", n, len(data), err)
		}
	}
}

// TestIndexMemory: an offset index of what are no locations is an error before
// they are in memory.
func TestIndexMemory(t *testing.T) {
	const n = 300_000
	empty := binary.AppendUvarint([]byte{1<<4 | thriftList, 15<<4 | thriftStruct}, n)
	empty = append(empty, make([]byte, n+1)...)
	g := &group{rows: n}
	g.chunks[colName] = chunk{indexAt: 1, indexLen: int64(len(empty))}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readIndex(bytes.NewReader(append([]byte{0}, empty...)), g, colName)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 || err != errIndex {
		t.Errorf("%d bytes allocated for %d, error %v", n, len(empty), err)
	}
}

// TestPageValues: a page of many values is an error even if they take no space.
func TestPageValues(t *testing.T) {
	rows := make([]parquetRow, 20_481)
	for i := range rows {
		rows[i].Name = testName(i)
	}
	var b bytes.Buffer
	write(t, &b, rows, parquet.PageBufferSize(8<<20))
	r := bytes.NewReader(b.Bytes())
	foot, err := readFooter(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, col := range []column{colData, colWidth, colSize, colError} {
		if _, err := newPageReader(r, &foot.groups[0].chunks[col], col).next(); err != errPageSize {
			t.Errorf("column %s: error %v", columns[col].name, err)
		}
	}
}

// TestOverlap: more shards than can be open at once are not read in order, and
// a shard has no names beyond those that tell how many that may be.
func TestOverlap(t *testing.T) {
	dir, rows, data := smallShard(t)
	read := func(n int) (errs []error) {
		m := &Manifest{Fingerprint: testPrint}
		for i := range n {
			m.Shards = append(m.Shards, ShardInfo{Name: shardName(i), First: "a", Last: "b"})
		}
		for _, err := range newArchive(fstest.MapFS{}, m).Rows() {
			errs = append(errs, err)
		}
		return errs
	}
	if errs := read(MaxOverlap); len(errs) != MaxOverlap || !errors.Is(errs[0], errMissing) {
		t.Errorf("as many as can be: %d errors, %v", len(errs), errs[0])
	}
	if errs := read(MaxOverlap + 1); len(errs) != 1 || errs[0] != ErrOverlap {
		t.Errorf("more: %d errors, %v", len(errs), errs[0])
	}
	m := openTest(t, dir).Manifest()
	m.Shards[0].Last = rows[10].Name
	n := 0
	for _, err := range inMemory(m, data).Rows() {
		if n++; n <= 11 && err != nil || n > 11 && !errors.Is(err, errFirst) {
			t.Fatalf("row %d: %v", n, err)
		}
	}
	if n != 12 {
		t.Errorf("%d rows", n)
	}
}

// An indexReader measures, whenever an offset index is read, how much memory is in
// use.
type indexReader struct {
	io.ReaderAt
	at   int64 // of the index
	most uint64
	read int
}

func (r *indexReader) ReadAt(b []byte, at int64) (int, error) {
	if at == r.at {
		r.read++
		r.most = max(r.most, inUse())
	}
	return r.ReaderAt.ReadAt(b, at)
}

// inUse returns how much memory is in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestFindMemory: looking up a name takes the memory of one offset index, even if
// a hostile shard has thousands of groups that share a long one.
func TestFindMemory(t *testing.T) {
	page := appendField([]byte{0x15, pageDataV1}, 1, 5)
	page = appendField(page, 1, 5)
	page = append(appendField(append(page, 2<<4|thriftStruct), 1, 1), 0x15, encodingPlain, 0, 0)
	page = append(page, 1, 0, 0, 0, 'a')
	const n = 400_000
	index := binary.AppendUvarint([]byte{1<<4 | thriftList, 15<<4 | thriftStruct}, n)
	for i := range n {
		index = binary.AppendVarint(append(index, 1<<4|thriftI64), 0)
		index = binary.AppendVarint(append(index, 1<<4|thriftI32), int64(len(page)))
		index = append(binary.AppendVarint(append(index, 1<<4|thriftI64), int64(i)), 0)
	}
	index = append(index, 0)
	foot := &footer{}
	for i := range 1 << 14 {
		g := group{rows: n, first: int64(i) * n}
		g.chunks[colName] = chunk{kind: kindByteArray, values: n, end: int64(len(page)), indexAt: int64(len(page)), indexLen: int64(len(index))}
		foot.groups = append(foot.groups, g)
	}
	r := &indexReader{ReaderAt: bytes.NewReader(append(page, index...)), at: int64(len(page))}
	before := inUse()
	if _, ok, err := find(r, foot, "b"); ok || err != nil || len(index) > maxIndex {
		t.Fatalf("found: %v, error %v", ok, err)
	}
	if r.read < 14 || r.most > before+48<<20 {
		t.Errorf("%d bytes are in use after %d times that an index of %d was read", r.most-before, r.read, len(index))
	}
}
