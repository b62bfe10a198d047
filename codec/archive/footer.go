package archive

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A column is one of a shard's columns.
type column int

const (
	colName column = iota
	colData
	colWidth
	colHeight
	colSize
	colTime
	colError
	numColumns
)

// Physical types of Parquet.
const (
	kindInt32     = 1
	kindInt64     = 2
	kindByteArray = 6
)

// columns describes what a shard must have. Other columns are passed over.
var columns = [numColumns]struct {
	name     string
	kind     int
	optional bool
}{
	colName:   {"name", kindByteArray, false},
	colData:   {"coclico", kindByteArray, false},
	colWidth:  {"width", kindInt32, false},
	colHeight: {"height", kindInt32, false},
	colSize:   {"source_bytes", kindInt64, false},
	colTime:   {"source_time", kindInt64, false},
	colError:  {"error", kindByteArray, true},
}

// Limits of what is read. A shard that [Writer] writes stays far below them, and
// its pages below 17,100 values. A value may take no space in the file, but takes
// up to 24 bytes in memory.
const (
	maxFooter = 4 << 20
	maxIndex  = 4 << 20
	maxPage   = 1 << 20
	maxHeader = 64 << 10 // of a page
	maxValues = 20 << 10 // of a page
)

const parquetMagic = "PAR1"

// A footer is what is needed of a Parquet file's metadata.
type footer struct {
	rows   int64
	groups []group
	notes  map[string]string // the key-value metadata
	others bool              // it has columns that are not in columns

	schemaErr error
}

// A group is a row group.
type group struct {
	rows   int64
	first  int64 // row of the shard
	chunks [numColumns]chunk
}

// A chunk is a column's part of a row group.
type chunk struct {
	kind, codec   int
	values        int64
	start, end    int64 // of its pages in the file
	indexAt       int64 // of its offset index
	indexLen      int64
	dict          bool // it begins with a dictionary
	found, nested bool
}

// readFooter reads the metadata at the end of a Parquet file, and checks that it
// describes a shard's columns.
func readFooter(r io.ReaderAt, size int64) (*footer, error) {
	const tail = 8 // the footer's length and the magic number
	if size < int64(len(parquetMagic))+tail {
		return nil, errCut
	}
	var ends [4 + tail]byte
	if err := readFull(r, ends[:4], 0); err != nil {
		return nil, err
	}
	if err := readFull(r, ends[4:], size-tail); err != nil {
		return nil, err
	}
	if string(ends[:4]) != parquetMagic {
		return nil, errMagic
	}
	if string(ends[8:]) != parquetMagic {
		return nil, errCut
	}
	n := int64(binary.LittleEndian.Uint32(ends[4:]))
	end := size - tail - n
	if n > maxFooter || end < int64(len(parquetMagic)) {
		return nil, errFooter
	}
	b := make([]byte, n)
	if err := readFull(r, b, end); err != nil {
		return nil, err
	}
	f, err := parseFooter(b)
	if err != nil {
		return nil, err
	}
	return f, f.check(end)
}

// readFull reads all of b at an offset. A file that ends before is cut short.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return errCut
	}
	return cause(err)
}

func parseFooter(b []byte) (*footer, error) {
	f := &footer{notes: map[string]string{}}
	t := &thrift{b: b}
	t.fields(func(id int, typ byte) {
		switch {
		case id == 2 && typ == thriftList:
			f.others, f.schemaErr = t.schema()
		case id == 3 && typ == thriftI64:
			f.rows = t.int()
		case id == 4 && typ == thriftList:
			t.list(func(_, _ int, typ byte) {
				if typ != thriftStruct || f.schemaErr != nil {
					t.fail()
					return
				}
				f.groups = append(f.groups, t.group())
				if g := &f.groups[len(f.groups)-1]; !g.whole() {
					t.fail() // so that a short footer cannot fill the memory with groups
				}
			})
		case id == 5 && typ == thriftList:
			t.list(func(_, _ int, typ byte) {
				if typ != thriftStruct {
					t.fail()
					return
				}
				var key, value []byte
				t.fields(func(id int, typ byte) {
					switch {
					case id == 1 && typ == thriftBinary:
						key = t.binary()
					case id == 2 && typ == thriftBinary:
						value = t.binary()
					default:
						t.skip(typ)
					}
				})
				f.notes[string(key)] = string(value)
			})
		default:
			t.skip(typ)
		}
	})
	switch {
	case f.schemaErr != nil:
		return nil, f.schemaErr
	case t.failed:
		return nil, errFooter
	}
	return f, nil
}

func (t *thrift) group() (g group) {
	t.fields(func(id int, typ byte) {
		switch {
		case id == 1 && typ == thriftList:
			t.list(func(_, _ int, typ byte) {
				if typ != thriftStruct {
					t.fail()
					return
				}
				t.chunk(&g)
			})
		case id == 3 && typ == thriftI64:
			g.rows = t.int()
		default:
			t.skip(typ)
		}
	})
	return g
}

// whole reports whether a group has all columns.
func (g *group) whole() bool {
	for _, c := range g.chunks {
		if !c.found {
			return false
		}
	}
	return true
}

// chunk reads a column chunk into its place in g, if it has one.
func (t *thrift) chunk(g *group) {
	var c chunk
	name := ""
	t.fields(func(id int, typ byte) {
		switch {
		case id == 3 && typ == thriftStruct:
			name = t.chunkMeta(&c)
		case id == 4 && typ == thriftI64:
			c.indexAt = t.int()
		case id == 5 && typ == thriftI32:
			c.indexLen = int64(t.small())
		case id == 8 || id == 9: // encrypted
			t.fail()
		default:
			t.skip(typ)
		}
	})
	for i := range columns {
		if !c.nested && columns[i].name == name {
			c.found = true
			g.chunks[i] = c
		}
	}
}

func (t *thrift) chunkMeta(c *chunk) (name string) {
	var data, dict, size int64
	t.fields(func(id int, typ byte) {
		switch {
		case id == 1 && typ == thriftI32:
			c.kind = t.small()
		case id == 3 && typ == thriftList:
			t.list(func(i, _ int, typ byte) {
				if typ != thriftBinary {
					t.fail()
					return
				}
				part := t.binary()
				if c.nested = i > 0; !c.nested {
					name = string(part)
				}
			})
		case id == 4 && typ == thriftI32:
			c.codec = t.small()
		case id == 5 && typ == thriftI64:
			c.values = t.int()
		case id == 7 && typ == thriftI64:
			size = t.int()
		case id == 9 && typ == thriftI64:
			data = t.int()
		case id == 11 && typ == thriftI64:
			dict = t.int()
		default:
			t.skip(typ)
		}
	})
	c.start = data
	if dict > 0 {
		c.start, c.dict = min(data, dict), true
	}
	if c.end = c.start + size; size < 0 || c.end < c.start {
		t.fail()
	}
	return name
}

// check checks that the groups' columns lie before the footer, one group's behind
// the other's, and agree on the number of rows: the pages of a small file cannot
// be those of many groups.
func (f *footer) check(end int64) error {
	rows, ends := int64(0), [numColumns]int64{}
	for i := range f.groups {
		g := &f.groups[i]
		g.first = rows
		if g.rows < 1 || g.rows > f.rows-rows {
			return errCount
		}
		rows += g.rows
		for i, c := range g.chunks {
			switch {
			case c.kind != columns[i].kind:
				return errFooter
			case c.values != g.rows:
				return errCount
			case c.start < max(ends[i], int64(len(parquetMagic))) || c.end > end:
				return errOffsets
			case c.codec != codecPlain && c.codec != codecZstd:
				return FormatError(fmt.Sprintf("column %s is compressed with codec %d: zstd or none is read", columns[i].name, c.codec))
			case c.indexAt != 0 && (c.indexAt < 0 || c.indexLen > maxIndex || c.indexAt > end-c.indexLen):
				return errIndex
			}
			ends[i] = c.end
		}
	}
	if rows != f.rows {
		return errCount
	}
	return nil
}
