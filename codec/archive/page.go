package archive

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Compression codecs of Parquet.
const (
	codecPlain = 0
	codecZstd  = 6
)

// Types of pages.
const (
	pageDataV1 = 0
	pageDict   = 2
	pageDataV2 = 3
)

// Encodings of Parquet.
const (
	encodingPlain     = 0
	encodingPlainDict = 2
	encodingRLE       = 3
	encodingRLEDict   = 8
)

// A pageHeader is what is needed of a page's header.
type pageHeader struct {
	typ              int
	size, compressed int // of the body
	crc              uint32
	hasCRC           bool
	values           int
	encoding         int
	levels           int // version 2: bytes of the definition levels
	plain            bool
}

// parseHeader reads a page's header and returns its length.
func parseHeader(b []byte) (h pageHeader, n int, err error) {
	t := &thrift{b: b}
	h.typ, h.encoding = -1, -1
	repetitions := 0
	t.fields(func(id int, typ byte) {
		switch {
		case id == 1 && typ == thriftI32:
			h.typ = t.small()
		case id == 2 && typ == thriftI32:
			h.size = t.small()
		case id == 3 && typ == thriftI32:
			h.compressed = t.small()
		case id == 4 && typ == thriftI32:
			h.crc, h.hasCRC = uint32(t.int()), true
		case typ == thriftStruct && (id == 5 || id == 7): // of a data page, version 1, or a dictionary
			t.fields(func(id int, typ byte) {
				switch {
				case id == 1 && typ == thriftI32:
					h.values = t.small()
				case id == 2 && typ == thriftI32:
					h.encoding = t.small()
				default:
					t.skip(typ)
				}
			})
		case typ == thriftStruct && id == 8: // of a data page, version 2
			t.fields(func(id int, typ byte) {
				switch {
				case id == 1 && typ == thriftI32:
					h.values = t.small()
				case id == 4 && typ == thriftI32:
					h.encoding = t.small()
				case id == 5 && typ == thriftI32:
					h.levels = t.small()
				case id == 6 && typ == thriftI32:
					repetitions = t.small()
				case id == 7:
					h.plain = typ == thriftFalse
				default:
					t.skip(typ)
				}
			})
		default:
			t.skip(typ)
		}
	})
	switch {
	case t.failed || repetitions != 0 || h.levels > h.size || h.levels > h.compressed:
		return h, 0, errPage
	case h.size > maxPage || h.compressed > maxPage || h.values > maxValues:
		return h, 0, errPageSize
	}
	return h, t.at, nil
}

// A pageReader reads a chunk's pages one after the other.
type pageReader struct {
	r     io.ReaderAt
	c     *chunk
	at    int64 // offset of the next page
	buf   []byte
	bufAt int64 // offset of buf
	ahead int   // how much to read at once
	dict  []int64
	col   column
}

const readAhead = 256 << 10

// newPageReader returns a reader that stands before the chunk's first page.
func newPageReader(r io.ReaderAt, c *chunk, col column) *pageReader {
	return &pageReader{r: r, c: c, at: c.start, ahead: readAhead, col: col}
}

// window returns n bytes at the offset, fewer at the chunk's end. They are valid
// until the next call.
func (p *pageReader) window(at int64, n int) ([]byte, error) {
	n = int(min(int64(n), p.c.end-at))
	if have := p.bufAt + int64(len(p.buf)) - at; at < p.bufAt || have < int64(n) {
		m := int(min(int64(max(n, p.ahead)), p.c.end-at))
		if cap(p.buf) < m {
			p.buf = make([]byte, m)
		}
		p.buf, p.bufAt = p.buf[:m], at
		if err := readFull(p.r, p.buf, at); err != nil {
			p.buf = nil
			return nil, err
		}
	}
	return p.buf[at-p.bufAt:][:n], nil
}

// next returns the next data page. It returns io.EOF after the last one.
func (p *pageReader) next() (*page, error) {
	for p.at < p.c.end {
		h, raw, err := p.read()
		switch {
		case err != nil:
			return nil, err
		case h.typ == pageDataV1 || h.typ == pageDataV2:
			return p.decode(h, raw)
		}
		if err := p.dictionary(h, raw); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// read reads the next page as it is stored, and checks its CRC. The bytes are
// valid until the next call.
func (p *pageReader) read() (h pageHeader, raw []byte, err error) {
	head, err := p.window(p.at, min(maxHeader, p.ahead))
	if err != nil {
		return h, nil, err
	}
	h, n, err := parseHeader(head)
	if err != nil {
		return h, nil, err
	}
	if int64(h.compressed) > p.c.end-p.at-int64(n) {
		return h, nil, errPage
	}
	raw, err = p.window(p.at+int64(n), h.compressed)
	if err != nil {
		return h, nil, err
	}
	p.at += int64(n + h.compressed)
	if h.hasCRC && crc32.ChecksumIEEE(raw) != h.crc {
		return h, nil, errSum
	}
	return h, raw, nil
}

// body returns the values of a page, decompressed, in memory of their own, and
// apart from them version 2's levels.
func (p *pageReader) body(h pageHeader, raw []byte) (levels, values []byte, err error) {
	if h.typ == pageDataV2 {
		levels, raw = raw[:h.levels:h.levels], raw[h.levels:]
		h.size -= h.levels
	}
	values = make([]byte, 0, h.size)
	if p.c.codec == codecPlain || h.plain {
		values = append(values, raw...)
	} else if len(raw) > 0 {
		d := decoders.Get().(*zstd.Decoder)
		values, err = d.DecodeAll(raw, values)
		decoders.Put(d)
	}
	if err != nil || len(values) != h.size {
		return nil, nil, errPage
	}
	return levels, values, nil
}

// decoders holds decoders that make no more than a page.
var decoders = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPage), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // of wrong options only
	}
	return d
}}

// A page is a data page's values.
type page struct {
	n     int
	bytes [][]byte // of a column of byte arrays; nil for a null
	ints  []int64  // of any other
}

// decode decodes a data page. A page has values: pages without any would be free,
// and a chunk could have millions.
func (p *pageReader) decode(h pageHeader, raw []byte) (*page, error) {
	if h.values < 1 {
		return nil, errPage
	}
	levels, values, err := p.body(h, raw)
	if err != nil {
		return nil, err
	}
	spec := &columns[p.col]
	out := &page{n: h.values}
	var null []bool
	count := h.values
	if spec.optional {
		if h.typ == pageDataV1 {
			if len(values) < 4 || uint64(binary.LittleEndian.Uint32(values)) > uint64(len(values)-4) {
				return nil, errPage
			}
			n := binary.LittleEndian.Uint32(values)
			levels, values = values[4:4+n], values[4+n:]
		}
		if null, count, err = nulls(levels, h.values); err != nil {
			return nil, err
		}
	} else if len(levels) > 0 {
		return nil, errPage
	}
	switch h.encoding {
	case encodingPlain:
		if spec.kind == kindByteArray {
			out.bytes, err = plainBytes(values, count)
		} else {
			out.ints, err = plainInts(values, count, spec.kind)
		}
	case encodingPlainDict, encodingRLEDict:
		if spec.kind == kindByteArray {
			return nil, errEncoding(p.col)
		}
		out.ints, err = p.indexed(values, count)
	default:
		return nil, errEncoding(p.col)
	}
	if null != nil && err == nil {
		out.bytes = spread(out.bytes, null)
	}
	return out, err
}

// errEncoding reports a column whose values are encoded as an archive's are not.
func errEncoding(c column) error {
	return FormatError("column " + columns[c].name + " has an encoding that archives do not use")
}

// dictionary reads the values that later pages have the indexes of.
func (p *pageReader) dictionary(h pageHeader, raw []byte) error {
	if h.typ != pageDict || p.dict != nil || columns[p.col].kind == kindByteArray || h.encoding != encodingPlain && h.encoding != encodingPlainDict {
		return errPage
	}
	_, values, err := p.body(h, raw)
	if err != nil {
		return err
	}
	p.dict, err = plainInts(values, h.values, columns[p.col].kind)
	return err
}

// indexed decodes n values from their indexes in the dictionary.
func (p *pageReader) indexed(b []byte, n int) ([]int64, error) {
	if len(b) == 0 || b[0] > 32 {
		return nil, errPage
	}
	out := make([]int64, 0, min(n, len(b)*maxRun))
	_, ok := runs(b[1:], int(b[0]), n, func(v uint32, count int) bool {
		if uint64(v) >= uint64(len(p.dict)) {
			return false
		}
		for range count {
			out = append(out, p.dict[v])
		}
		return true
	})
	if !ok {
		return nil, errPage
	}
	return out, nil
}
