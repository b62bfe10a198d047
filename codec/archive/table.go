package archive

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/deprecated"
	compact "github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Layout of a shard.
const (
	groupRows = 131072
	pageBytes = 64 << 10 // a page ends with the row that reaches them
	bloomBits = 10       // for each name
)

// A tableWriter writes a shard as a Parquet file. The metadata are parquet-go's
// types; its own writer would add four megabytes to a program, for encodings,
// codecs and types that a shard does not have.
type tableWriter struct {
	to io.Writer
	at int64 // bytes written

	groupRows, pageBytes int // the layout; those of a shard except in tests

	file    format.FileMetaData
	columns [numColumns]*columnWriter
	hashes  []uint64 // of the group's names
	indexes [][numColumns]pageIndex
}

// newTableWriter returns a writer of a file with notes among its metadata.
func newTableWriter(to io.Writer, notes map[string]string) *tableWriter {
	t := &tableWriter{to: to, groupRows: groupRows, pageBytes: pageBytes, file: format.FileMetaData{Version: 2, Schema: schema(), CreatedBy: "coclico version 1(build )"}}
	for _, key := range slices.Sorted(maps.Keys(notes)) {
		t.file.KeyValueMetadata = append(t.file.KeyValueMetadata, format.KeyValue{Key: key, Value: notes[key]})
	}
	for c := range t.columns {
		t.columns[c] = &columnWriter{column: column(c)}
		t.columns[c].reset()
		t.file.ColumnOrders = append(t.file.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	return t
}

// schema returns the root and the columns.
func schema() []format.SchemaElement {
	text := format.LogicalType{Value: &format.StringType{}}
	utf8 := compact.New(deprecated.UTF8)
	elements := []format.SchemaElement{{Name: "row", NumChildren: compact.New(int32(numColumns))}}
	for c := range columns {
		e := format.SchemaElement{
			Name:           columns[c].name,
			Type:           compact.New(format.Type(columns[c].kind)),
			RepetitionType: compact.New(format.Required),
		}
		if columns[c].optional {
			e.RepetitionType = compact.New(format.Optional)
		}
		switch column(c) {
		case colName, colError:
			e.LogicalType, e.ConvertedType = text, utf8
		case colWidth, colHeight:
			e.LogicalType.Value, e.ConvertedType = &format.IntType{BitWidth: 32, IsSigned: true}, compact.New(deprecated.Int32)
		case colSize:
			e.LogicalType.Value, e.ConvertedType = &format.IntType{BitWidth: 64, IsSigned: true}, compact.New(deprecated.Int64)
		case colTime:
			e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MilliSeconds{}}}
			e.ConvertedType = compact.New(deprecated.TimestampMillis)
		}
		elements = append(elements, e)
	}
	return elements
}

// add adds a row.
func (t *tableWriter) add(r *Row) error {
	for _, c := range t.columns {
		c.add(r)
		if c.size() >= t.pageBytes {
			if err := c.endPage(); err != nil {
				return err
			}
		}
	}
	t.hashes = append(t.hashes, bloom.XXH64{}.Sum64([]byte(r.Name)))
	if len(t.hashes) == t.groupRows {
		return t.endGroup()
	}
	return nil
}

// endGroup writes the rows since the last group, if there are any.
func (t *tableWriter) endGroup() error {
	rows := int64(len(t.hashes))
	if rows == 0 {
		return nil
	}
	if err := t.begin(); err != nil {
		return err
	}
	g := format.RowGroup{
		Columns:        make([]format.ColumnChunk, numColumns),
		NumRows:        rows,
		SortingColumns: []format.SortingColumn{{ColumnIdx: int32(colName)}},
		FileOffset:     t.at,
		Ordinal:        int16(len(t.file.RowGroups)),
	}
	var indexes [numColumns]pageIndex
	for i, c := range t.columns {
		if err := c.endPage(); err != nil {
			return err
		}
		if err := t.chunk(c); err != nil {
			return err
		}
		g.Columns[i].MetaData, indexes[i] = c.meta, c.index
		g.TotalByteSize += c.meta.TotalUncompressedSize
		g.TotalCompressedSize += c.meta.TotalCompressedSize
		c.reset()
	}
	if err := t.bloom(&g.Columns[colName].MetaData); err != nil {
		return err
	}
	t.file.NumRows += rows
	t.file.RowGroups = append(t.file.RowGroups, g)
	t.indexes = append(t.indexes, indexes)
	t.hashes = t.hashes[:0]
	return nil
}

// begin writes the magic number at the start of the file.
func (t *tableWriter) begin() error {
	if t.at > 0 {
		return nil
	}
	return t.write([]byte(parquetMagic))
}

// chunk writes a column's pages, the dictionary first.
func (t *tableWriter) chunk(c *columnWriter) error {
	dict, err := c.dictionary()
	if err != nil {
		return err
	}
	if len(dict) > 0 {
		c.meta.DictionaryPageOffset = t.at
	}
	if err := t.write(dict); err != nil {
		return err
	}
	c.meta.DataPageOffset = t.at
	for i := range c.index.PageLocations {
		c.index.PageLocations[i].Offset += t.at
	}
	return t.write(c.pages)
}

// bloom writes the bloom filter of the group's names.
func (t *tableWriter) bloom(m *format.ColumnMetaData) error {
	filter := make(bloom.SplitBlockFilter, bloom.NumSplitBlocksOf(int64(len(t.hashes)), bloomBits))
	filter.InsertBulk(t.hashes)
	m.BloomFilterOffset = t.at
	err := t.marshal(&format.BloomFilterHeader{
		NumBytes:    int32(len(filter.Bytes())),
		Algorithm:   format.BloomFilterAlgorithm{Value: &format.SplitBlockAlgorithm{}},
		Hash:        format.BloomFilterHash{Value: &format.XxHash{}},
		Compression: format.BloomFilterCompression{Value: &format.BloomFilterUncompressed{}},
	})
	if err == nil {
		err = t.write(filter.Bytes())
	}
	m.BloomFilterLength = int32(t.at - m.BloomFilterOffset)
	return err
}

// close writes what is left, the indexes of the pages, and the footer.
func (t *tableWriter) close() error {
	if err := t.endGroup(); err != nil {
		return err
	}
	if err := t.begin(); err != nil {
		return err
	}
	for i := range t.indexes {
		for c := range t.indexes[i] {
			if !columns[c].bounds {
				continue
			}
			chunk := &t.file.RowGroups[i].Columns[c]
			chunk.ColumnIndexOffset = t.at
			if err := t.marshal(&t.indexes[i][c].ColumnIndex); err != nil {
				return err
			}
			chunk.ColumnIndexLength = int32(t.at - chunk.ColumnIndexOffset)
		}
	}
	for i := range t.indexes {
		for c := range t.indexes[i] {
			chunk := &t.file.RowGroups[i].Columns[c]
			chunk.OffsetIndexOffset = t.at
			if err := t.marshal(&t.indexes[i][c].OffsetIndex); err != nil {
				return err
			}
			chunk.OffsetIndexLength = int32(t.at - chunk.OffsetIndexOffset)
		}
	}
	start := t.at
	if err := t.marshal(&t.file); err != nil {
		return err
	}
	tail := binary.LittleEndian.AppendUint32(nil, uint32(t.at-start))
	return t.write(append(tail, parquetMagic...))
}

func (t *tableWriter) marshal(v any) error {
	b, err := compact.Marshal(new(compact.CompactProtocol), v)
	if err != nil {
		return err
	}
	return t.write(b)
}

func (t *tableWriter) write(b []byte) error {
	n, err := t.to.Write(b)
	t.at += int64(n)
	return err
}
