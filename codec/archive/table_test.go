package archive

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// A parquetRow is a row as parquet-go writes and reads it.
type parquetRow struct {
	Name   string  `parquet:"name,plain,zstd"`
	Data   []byte  `parquet:"coclico,plain"`
	Width  int32   `parquet:"width,dict,zstd"`
	Height int32   `parquet:"height,dict,zstd"`
	Size   int64   `parquet:"source_bytes,plain,zstd"`
	Time   int64   `parquet:"source_time,timestamp(millisecond),plain,zstd"`
	Error  *string `parquet:"error,optional,plain,zstd"`
}

// Layout of TestTable's file: three row groups, many pages.
const (
	testGroupRows = 4000
	testPageBytes = 4 << 10
	testRows      = 2*testGroupRows + 2500
)

// tableRows returns rows with runs of sizes and sizes that all differ, negative
// times, stretches without an error, with some, and with nothing else.
func tableRows() (rows []*Row, theirs []parquetRow) {
	for i := range testRows {
		r := &Row{
			Name: fmt.Sprintf("%08d/%s", i, strings.Repeat("\u00ff", i%9)), Data: bytes.Repeat([]byte{0xff, byte(i)}, 1+i%11),
			Width: i / 300, Height: 1 + i*i%4000, Size: int64(i) << (i % 40), Time: time.UnixMilli(int64(i-500) * 1e9).UTC(),
		}
		if i > 2000 && i%97 == 0 || i > testGroupRows && i < testGroupRows+2000 {
			r.Data, r.Error = nil, fmt.Sprint("broken ", i%13)
		}
		rows = append(rows, r)
		p := parquetRow{Name: r.Name, Data: r.Data, Width: int32(r.Width), Height: int32(r.Height), Size: r.Size, Time: r.Time.UnixMilli()}
		if r.Error != "" {
			p.Error = &r.Error
		}
		theirs = append(theirs, p)
	}
	return rows, theirs
}

// TestTable compares a shard with what parquet-go reads in it: the schema and
// the metadata are those of a file that parquet-go writes, all rows come back by
// either reader, the bloom filters have all names and few others, and every page
// lies within the bounds of the indexes.
func TestTable(t *testing.T) {
	rows, same := tableRows()
	origin := &Origin{Fingerprint: "01234567", Model: "model"}
	var ours, theirs bytes.Buffer
	table := newTableWriter(&ours, origin.notes())
	table.groupRows, table.pageBytes = testGroupRows, testPageBytes
	for _, r := range rows {
		if err := table.add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.close(); err != nil {
		t.Fatal(err)
	}
	options := []parquet.WriterOption{
		parquet.CreatedBy("coclico", "1", ""), parquet.MaxRowsPerRowGroup(testGroupRows), parquet.PageBufferSize(testPageBytes), parquet.DataPageStatistics(false),
		parquet.BloomFilters(parquet.SplitBlockFilter(bloomBits, "name")), parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("name"))),
	}
	for key, value := range origin.notes() {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	write(t, &theirs, same, options...)
	if ours.Len() > theirs.Len()*102/100 {
		t.Errorf("%d bytes, parquet-go needs %d", ours.Len(), theirs.Len())
	}

	back, err := parquet.Read[parquetRow](bytes.NewReader(ours.Bytes()), int64(ours.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range max(len(back), len(same)) {
		if len(back) != len(same) || !sameRow(back[i], same[i]) {
			t.Fatalf("row %d of %d: not what was written", i, len(back))
		}
	}
	_, all, err := ReadShard(bytes.NewReader(ours.Bytes()), int64(ours.Len()))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		wantRow(t, r, rows[n])
		n++
	}
	if n != len(rows) {
		t.Errorf("%d rows", n)
	}

	f, err := parquet.OpenFile(bytes.NewReader(ours.Bytes()), int64(ours.Len()))
	if err != nil {
		t.Fatal(err)
	}
	g, err := parquet.OpenFile(bytes.NewReader(theirs.Bytes()), int64(theirs.Len()))
	if err != nil {
		t.Fatal(err)
	}
	compareMetadata(t, f, g)
	for _, group := range f.RowGroups() {
		checkBloom(t, group.ColumnChunks()[colName].BloomFilter(), rows, same)
		for c, chunk := range group.ColumnChunks() {
			checkIndexes(t, column(c), chunk)
		}
		rows, same = rows[group.NumRows():], same[group.NumRows():]
	}
}

func sameRow(a, b parquetRow) bool {
	if (a.Error == nil) != (b.Error == nil) || a.Error != nil && *a.Error != *b.Error || !bytes.Equal(a.Data, b.Data) {
		return false
	}
	a.Error, a.Data, b.Error, b.Data = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// compareMetadata compares what the two writers say of the same rows: all except
// sizes, offsets, the root's name and the bounds of the pictures.
func compareMetadata(t *testing.T, f, g *parquet.File) {
	t.Helper()
	ours, theirs := *f.Metadata(), *g.Metadata()
	for i := range theirs.Schema {
		theirs.Schema[i].TypeLength.Reset() // which is for another type
	}
	if !reflect.DeepEqual(ours.Schema[1:], theirs.Schema[1:]) || ours.NumRows != theirs.NumRows || ours.CreatedBy != theirs.CreatedBy ||
		!reflect.DeepEqual(ours.KeyValueMetadata, theirs.KeyValueMetadata) || !reflect.DeepEqual(ours.ColumnOrders, theirs.ColumnOrders) {
		t.Errorf("metadata\n%+v\nof parquet-go\n%+v", ours, theirs)
	}
	if len(ours.RowGroups) != 3 || len(theirs.RowGroups) != 3 {
		t.Fatalf("%d and %d row groups", len(ours.RowGroups), len(theirs.RowGroups))
	}
	for i, a := range ours.RowGroups {
		b := theirs.RowGroups[i]
		if a.NumRows != b.NumRows || a.Ordinal != b.Ordinal || !reflect.DeepEqual(a.SortingColumns, b.SortingColumns) {
			t.Errorf("group %d: %+v, of parquet-go %+v", i, a, b)
		}
		for c := range columns {
			a, b := a.Columns[c].MetaData, b.Columns[c].MetaData
			if column(c) == colData {
				b.Statistics.MinValue, b.Statistics.MaxValue = nil, nil
			}
			if a.Type != b.Type || a.Codec != b.Codec || a.NumValues != b.NumValues || !reflect.DeepEqual(a.PathInSchema, b.PathInSchema) ||
				!reflect.DeepEqual(a.Encoding, b.Encoding) || !reflect.DeepEqual(a.Statistics, b.Statistics) {
				t.Errorf("group %d, %s: %+v, of parquet-go %+v", i, columns[c].name, a, b)
			}
		}
	}
}

// checkBloom looks for the names of a group in its filter, and for others.
func checkBloom(t *testing.T, filter parquet.BloomFilter, rows []*Row, theirs []parquetRow) {
	t.Helper()
	if filter == nil {
		t.Fatal("no bloom filter")
	}
	const probes = 2500
	others := 0
	for i := range probes {
		found, err := filter.Check(parquet.ValueOf(theirs[i].Name))
		if err != nil || !found {
			t.Fatalf("%s is not in the bloom filter: %v", theirs[i].Name, err)
		}
		if found, err := filter.Check(parquet.ValueOf(fmt.Sprint("no name ", i))); err != nil {
			t.Fatal(err)
		} else if found {
			others++
		}
	}
	if others > probes/20 {
		t.Errorf("%d of %d other names are in the bloom filter", others, probes)
	}
}

// checkIndexes compares a chunk's indexes with its pages.
func checkIndexes(t *testing.T, c column, chunk parquet.ColumnChunk) {
	t.Helper()
	offsets, err := chunk.OffsetIndex()
	if err != nil {
		t.Fatal(err)
	}
	bounds, err := chunk.ColumnIndex()
	if columns[c].bounds != (err == nil) {
		t.Fatalf("%s: column index: %v", columns[c].name, err)
	}
	pages := chunk.Pages()
	defer pages.Close()
	row, n := int64(0), 0
	for ; ; n++ {
		page, err := pages.ReadPage()
		if err != nil {
			break
		}
		if n >= offsets.NumPages() || offsets.FirstRowIndex(n) != row {
			t.Fatalf("%s: page %d begins with row %d, which the index does not say", columns[c].name, n, row)
		}
		row += page.NumRows()
		if columns[c].bounds {
			least, greatest, ok := page.Bounds()
			nulls := page.NumNulls()
			switch {
			case bounds.NullPage(n) != !ok || bounds.NullCount(n) != nulls:
				t.Errorf("%s: page %d has %d nulls, in the index %d", columns[c].name, n, nulls, bounds.NullCount(n))
			case ok && (page.Type().Compare(bounds.MinValue(n), least) > 0 || page.Type().Compare(bounds.MaxValue(n), greatest) < 0):
				t.Errorf("%s: page %d from %v to %v, in the index from %v to %v", columns[c].name, n, least, greatest, bounds.MinValue(n), bounds.MaxValue(n))
			}
		}
		parquet.Release(page)
	}
	if n != offsets.NumPages() || n < 2 {
		t.Errorf("%s: %d pages, %d in the index", columns[c].name, n, offsets.NumPages())
	}
}

// TestCutAbove: a bound that is cut is one still, and short unless it cannot be.
func TestCutAbove(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "short": "short", "sixteen bytes to": "sixteen bytes to",
		"sixteen bytes tomorrow":                      "sixteen bytes tp",
		"fifteen bytes .\xff and":                     "fifteen bytes /",
		strings.Repeat("\xff", 16) + "a":              strings.Repeat("\xff", 16) + "a",
		"a" + strings.Repeat("\xff", 15) + "and more": "b",
	} {
		got := string(cutAbove([]byte(in)))
		if got != want || got < in {
			t.Errorf("%q is cut to %q, want %q", in, got, want)
		}
	}
}

// TestRuns: numbers of all widths, in runs of all lengths, come back.
func TestRuns(t *testing.T) {
	for width := range 21 {
		for seed := range 40 {
			var numbers []uint32
			state := uint32(width*40 + seed + 1)
			for range 60 {
				state = state*1664525 + 1013904223
				n := 1 + int(state>>28)*int(state>>24&1)
				numbers = append(numbers, slices.Repeat([]uint32{state >> 3 & (1<<width - 1)}, n)...)
			}
			numbers = numbers[:len(numbers)-seed]
			var back []uint32
			ok := runs(appendRuns(nil, numbers, width), width, len(numbers), func(v uint32, count int) bool {
				back = append(back, slices.Repeat([]uint32{v}, count)...)
				return true
			})
			if !ok || !slices.Equal(back, numbers) {
				t.Fatalf("%d bits, seed %d: %v, want %v", width, seed, back, numbers)
			}
		}
	}
	if n := len(appendRuns(nil, slices.Repeat([]uint32{5}, 1000), 3)); n != 3 {
		t.Errorf("a run of 1000 takes %d bytes", n)
	}
	if b := appendIndexes(nil, []uint32{0, 1, 2, 3, 4, 5, 6, 7}); !bytes.Equal(b, []byte{3, 3, 0b10001000, 0b11000110, 0b11111010}) {
		t.Errorf("the example of Parquet's documentation is packed as %x", b)
	}
}
