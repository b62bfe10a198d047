package archive

import (
	"io"
	"slices"
)

// leastLocation is how many bytes a location takes in an offset index at least,
// other than the first: its size and its row with their types, and its end.
const leastLocation = 5

// A location is where a page is.
type location struct {
	at, size int64 // in the file, its header included
	row      int64 // the number in its group of its first row
	rows     int64
}

// readIndex reads the offset index of a chunk: where its pages are.
func readIndex(r io.ReaderAt, g *group, col column) ([]location, error) {
	c := &g.chunks[col]
	if c.indexAt == 0 || c.indexLen == 0 {
		return nil, errNoIndex
	}
	b := make([]byte, c.indexLen)
	if err := readFull(r, b, c.indexAt); err != nil {
		return nil, err
	}
	var index []location
	t := &thrift{b: b}
	t.fields(func(id int, typ byte) {
		if id != 1 || typ != thriftList {
			t.skip(typ)
			return
		}
		t.list(func(i, n int, typ byte) {
			if typ != thriftStruct {
				t.fail()
				return
			}
			l, last := t.location(), len(index)-1
			if l.size < 1 || l.row < 0 || last >= 0 && l.row <= index[last].row {
				t.fail() // so that a short index cannot fill the memory with locations
				return
			}
			if i == 0 {
				index = slices.Grow(index, min(n, 1+(len(t.b)-t.at)/leastLocation))
			}
			index = append(index, l)
		})
	})
	if t.failed || len(index) == 0 || index[0].row != 0 {
		return nil, errIndex
	}
	for i := range index {
		l, end := &index[i], g.rows
		if i+1 < len(index) {
			end = index[i+1].row
		}
		l.rows = end - l.row
		if l.rows < 1 || l.at < c.start || l.size > maxPage+maxHeader || l.at > c.end-l.size {
			return nil, errIndex
		}
	}
	return index, nil
}

func (t *thrift) location() (l location) {
	t.fields(func(id int, typ byte) {
		switch {
		case id == 1 && typ == thriftI64:
			l.at = t.int()
		case id == 2 && typ == thriftI32:
			l.size = int64(t.small())
		case id == 3 && typ == thriftI64:
			l.row = t.int()
		default:
			t.skip(typ)
		}
	})
	return l
}

// readPage reads a page by its location. The page must have as many rows as the
// index says, so that an index that is wrong cannot give a row another's value.
func readPage(r io.ReaderAt, c *chunk, col column, l location) (*page, error) {
	p := newPageReader(r, c, col)
	if c.dict {
		p.ahead = 4 << 10
		h, raw, err := p.read()
		if err == nil {
			err = p.dictionary(h, raw)
		}
		if err != nil {
			return nil, err
		}
	}
	p.at, p.ahead = l.at, int(l.size)
	out, err := p.next()
	switch {
	case err == io.EOF:
		return nil, errIndex
	case err != nil:
		return nil, err
	case int64(out.n) != l.rows || p.at != l.at+l.size:
		return nil, errIndex
	}
	return out, nil
}
