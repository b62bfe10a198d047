package archive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"
	compact "github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// boundBytes is the length of a byte array in the column index, where a bound may
// be cut: it need only be one.
const boundBytes = 16

// A pageIndex says where a chunk's pages are, and what is in them.
type pageIndex struct {
	format.ColumnIndex
	format.OffsetIndex
}

// A columnWriter makes a column's pages of a row group.
type columnWriter struct {
	column
	values   []byte   // the page's, PLAIN unless they are in indexes
	indexes  []uint32 // the page's, into the dictionary
	levels   []uint32 // the page's, of an optional column: 1, or 0 for a null
	rows     int      // the page's
	least    []byte   // of the page; nil if all are null
	greatest []byte
	pages    []byte           // those that are complete
	dict     map[int64]uint32 // of a column with a dictionary
	dictInts []byte           // its numbers, PLAIN
	meta     format.ColumnMetaData
	index    pageIndex
	groupRow int64 // of the page's first row
}

// reset prepares for a new group.
func (c *columnWriter) reset() {
	spec := &columns[c.column]
	c.pages, c.dictInts, c.groupRow = c.pages[:0], c.dictInts[:0], 0
	if spec.dict {
		c.dict = map[int64]uint32{}
	}
	c.index = pageIndex{}
	c.meta = format.ColumnMetaData{
		Type:         format.Type(spec.kind),
		PathInSchema: []string{spec.name},
		Encoding:     []format.Encoding{format.Plain},
		Codec:        format.CompressionCodec(codecZstd),
	}
	switch {
	case spec.dict:
		c.meta.Encoding = append(c.meta.Encoding, format.RLEDictionary)
	case spec.optional:
		c.meta.Encoding = append(c.meta.Encoding, format.RLE)
	case c.column == colData:
		c.meta.Codec = format.CompressionCodec(codecPlain)
	}
	if c.column == colName {
		c.index.BoundaryOrder = format.Ascending
	}
}

// add adds a row's field to the page.
func (c *columnWriter) add(r *Row) {
	c.rows++
	switch c.column {
	case colName:
		c.addBytes([]byte(r.Name))
	case colData:
		c.addBytes(r.Data)
	case colWidth:
		c.addInt(int64(r.Width))
	case colHeight:
		c.addInt(int64(r.Height))
	case colSize:
		c.addInt(r.Size)
	case colTime:
		c.addInt(r.Time.UnixMilli())
	case colError:
		if r.Error == "" {
			c.levels = append(c.levels, 0)
			return
		}
		c.levels = append(c.levels, 1)
		c.addBytes([]byte(r.Error))
	}
}

func (c *columnWriter) addBytes(b []byte) {
	c.values = binary.LittleEndian.AppendUint32(c.values, uint32(len(b)))
	c.values = append(c.values, b...)
	c.bound(b)
}

func (c *columnWriter) addInt(v int64) {
	var plain [8]byte
	binary.LittleEndian.PutUint64(plain[:], uint64(v))
	b := plain[:]
	if columns[c.column].kind == kindInt32 {
		b = b[:4]
	}
	c.bound(b)
	if c.dict == nil {
		c.values = append(c.values, b...)
		return
	}
	i, ok := c.dict[v]
	if !ok {
		i = uint32(len(c.dict))
		c.dict[v], c.dictInts = i, append(c.dictInts, b...)
	}
	c.indexes = append(c.indexes, i)
}

// bound extends the page's bounds to a value.
func (c *columnWriter) bound(b []byte) {
	if !columns[c.column].bounds {
		return
	}
	if c.least == nil || c.compare(b, c.least) < 0 {
		c.least = bytes.Clone(b)
	}
	if c.greatest == nil || c.compare(b, c.greatest) > 0 {
		c.greatest = append(c.greatest[:0], b...)
	}
}

// size returns about how many bytes the page takes.
func (c *columnWriter) size() int { return len(c.values) + 4*(len(c.indexes)+len(c.levels)) }

// endPage encodes the rows since the last page, if there are any.
func (c *columnWriter) endPage() error {
	if c.rows == 0 {
		return nil
	}
	encoding := format.Plain
	if c.dict != nil {
		encoding = format.RLEDictionary
		c.values = appendIndexes(c.values[:0], c.indexes)
	}
	levels := appendRuns(nil, c.levels, 1)
	nulls := 0
	for _, level := range c.levels {
		nulls += int(1 - level)
	}
	compressed := c.meta.Codec == format.CompressionCodec(codecZstd)
	start := len(c.pages)
	var err error
	c.pages, err = c.appendPage(c.pages, format.PageHeader{
		Type: format.DataPageV2,
		DataPageHeaderV2: compact.New(format.DataPageHeaderV2{
			NumValues:                  int32(c.rows),
			NumNulls:                   int32(nulls),
			NumRows:                    int32(c.rows),
			Encoding:                   encoding,
			DefinitionLevelsByteLength: int32(len(levels)),
			IsCompressed:               compact.New(compressed),
		}),
	}, levels, c.values)
	if err != nil {
		return err
	}
	c.meta.NumValues += int64(c.rows)
	c.meta.Statistics.NullCount += int64(nulls)
	c.index.PageLocations = append(c.index.PageLocations, format.PageLocation{
		Offset: int64(start), CompressedPageSize: int32(len(c.pages) - start), FirstRowIndex: c.groupRow,
	})
	c.indexBounds(nulls)
	c.groupRow += int64(c.rows)
	c.values, c.indexes, c.levels, c.rows = c.values[:0], c.indexes[:0], c.levels[:0], 0
	c.least, c.greatest = nil, nil
	return nil
}

// indexBounds notes the page's bounds in the column index, and in the group's.
func (c *columnWriter) indexBounds(nulls int) {
	if !columns[c.column].bounds {
		return
	}
	least, greatest := c.least, c.greatest
	if columns[c.column].kind == kindByteArray {
		least, greatest = least[:min(len(least), boundBytes)], cutAbove(greatest)
	}
	c.index.NullPages = append(c.index.NullPages, c.least == nil)
	c.index.NullCounts = append(c.index.NullCounts, int64(nulls))
	c.index.MinValues = append(c.index.MinValues, least)
	c.index.MaxValues = append(c.index.MaxValues, greatest)
	if s := &c.meta.Statistics; c.least != nil {
		if s.MinValue == nil || c.compare(c.least, s.MinValue) < 0 {
			s.MinValue = c.least
		}
		if s.MaxValue == nil || c.compare(c.greatest, s.MaxValue) > 0 {
			s.MaxValue = c.greatest
		}
	}
}

// compare compares two values of the column, PLAIN but without a length.
func (c column) compare(a, b []byte) int {
	if columns[c].kind == kindByteArray {
		return bytes.Compare(a, b)
	}
	return cmp.Compare(plainInt(a), plainInt(b))
}

// plainInt returns an integer of four or of eight bytes.
func plainInt(b []byte) int64 {
	if len(b) == 4 {
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// cutAbove returns bytes that are at least b, but not many: b itself, or what
// follows everything that begins as b does.
func cutAbove(b []byte) []byte {
	if len(b) <= boundBytes {
		return b
	}
	for n := boundBytes; n > 0; n-- {
		if b[n-1] < 0xff {
			cut := bytes.Clone(b[:n])
			cut[n-1]++
			return cut
		}
	}
	return b
}

// dictionary returns the dictionary's page, and counts it in. It returns nothing
// for a column without a dictionary.
func (c *columnWriter) dictionary() ([]byte, error) {
	pages := int32(len(c.index.PageLocations))
	if c.dict == nil {
		c.meta.EncodingStats = []format.PageEncodingStats{{PageType: format.DataPageV2, Encoding: format.Plain, Count: pages}}
		return nil, nil
	}
	c.meta.EncodingStats = []format.PageEncodingStats{
		{PageType: format.DictionaryPage, Encoding: format.Plain, Count: 1},
		{PageType: format.DataPageV2, Encoding: format.RLEDictionary, Count: pages},
	}
	return c.appendPage(nil, format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: compact.New(format.DictionaryPageHeader{NumValues: int32(len(c.dict)), Encoding: format.Plain}),
	}, nil, c.dictInts)
}

// appendPage appends a page: a header that it completes, levels, and values,
// which it compresses if the column is compressed.
func (c *columnWriter) appendPage(b []byte, h format.PageHeader, levels, values []byte) ([]byte, error) {
	h.UncompressedPageSize = int32(len(levels) + len(values))
	if c.meta.Codec == format.CompressionCodec(codecZstd) {
		e := encoders.Get().(*zstd.Encoder)
		values = e.EncodeAll(values, nil)
		encoders.Put(e)
	}
	h.CompressedPageSize = int32(len(levels) + len(values))
	h.CRC = int32(crc32.Update(crc32.ChecksumIEEE(levels), crc32.IEEETable, values))
	header, err := compact.Marshal(new(compact.CompactProtocol), &h)
	if err != nil {
		return nil, err
	}
	c.meta.TotalUncompressedSize += int64(len(header)) + int64(h.UncompressedPageSize)
	c.meta.TotalCompressedSize += int64(len(header)) + int64(h.CompressedPageSize)
	return append(append(append(b, header...), levels...), values...), nil
}

// encoders holds encoders of pages, which have a checksum already.
var encoders = sync.Pool{New: func() any {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // of wrong options only
	}
	return e
}}
