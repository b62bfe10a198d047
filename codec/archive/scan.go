package archive

import (
	"errors"
	"io"
	"iter"
	"sort"
	"time"
	"unsafe"
)

// An Entry is a row's number in its shard, its name and its .coclico file, which
// is empty if the row has none.
type Entry struct {
	Row  int64
	Name string
	Data []byte
}

// Entries returns the names and the bytes of all rows, tombstones and rows of
// unread pictures included, in the order of the shard, which is that of the
// names. An error ends it.
func (s *Shard) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for r, err := range s.scan("", colName, colData) {
			if !yield(Entry{r.at, r.row.Name, r.row.Data}, err) || err != nil {
				return
			}
		}
	}
}

// Rows returns all rows, tombstones included, in the order of the shard, which
// is that of the names. An error ends it.
func (s *Shard) Rows() iter.Seq2[*Row, error] { return s.rowsAfter("", allColumns...) }

// rowsAfter is Rows of those whose names follow one, with some columns.
func (s *Shard) rowsAfter(name string, cols ...column) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		first := name < s.Info.First
		for r, err := range s.scan(name, cols...) {
			if err == nil && first && r.row.Name != s.Info.First {
				err = named(s.Info.Name, errFirst)
			}
			first = false
			if err != nil {
				yield(nil, err)
				return
			}
			row := r.row
			if !yield(&row, nil) {
				return
			}
		}
	}
}

var allColumns = []column{colName, colData, colWidth, colHeight, colSize, colTime, colError}

// A numbered is a row and its number.
type numbered struct {
	at  int64
	row Row
}

// scan reads some columns of the rows whose names follow one. An error ends it.
func (s *Shard) scan(after string, cols ...column) iter.Seq2[numbered, error] {
	return func(yield func(numbered, error) bool) {
		h, err := s.open()
		if err != nil {
			yield(numbered{}, err)
			return
		}
		defer h.file.Close()
		from := int64(0)
		if after != "" && after >= s.Info.First {
			var ok bool
			if from, ok, err = find(h.file, h.footer, after); err != nil {
				yield(numbered{}, named(s.Info.Name, err))
				return
			}
			if ok {
				from++
			}
		}
		for r, err := range scan(h.file, h.footer, from, cols) {
			if err == nil && s.Info.Last != "" && r.row.Name > s.Info.Last {
				err = errFirst
			}
			if !yield(r, named(s.Info.Name, err)) || err != nil {
				return
			}
		}
	}
}

// scan reads some columns of the rows from a number on, the name among them. An
// error ends it.
func scan(f io.ReaderAt, foot *footer, from int64, cols []column) iter.Seq2[numbered, error] {
	return func(yield func(numbered, error) bool) {
		last := ""
		for i := range foot.groups {
			g := &foot.groups[i]
			if g.first+g.rows <= from {
				continue
			}
			if err := g.scan(f, max(from-g.first, 0), cols, &last, yield); err != nil {
				if err != errStop {
					yield(numbered{}, err)
				}
				return
			}
		}
	}
}

// errStop means that the caller of an iterator wants no more.
var errStop = errors.New("stop")

// scan yields the rows of a group from a number on. last is the name of the row
// before.
func (g *group) scan(f io.ReaderAt, from int64, cols []column, last *string, yield func(numbered, error) bool) error {
	read := make([]*cursor, len(cols))
	for i, c := range cols {
		read[i] = newCursor(f, &g.chunks[c], c)
		if from > 0 {
			if err := read[i].seek(g, from); err != nil {
				return err
			}
		}
	}
	for n := from; n < g.rows; n++ {
		r := numbered{at: g.first + n}
		for _, c := range read {
			if err := c.next(&r.row); err != nil {
				return err
			}
		}
		if err := r.row.check(); err != nil {
			return err
		}
		if r.row.Name <= *last {
			return errOrder
		}
		*last = r.row.Name
		if !yield(r, nil) {
			return errStop
		}
	}
	for _, c := range read {
		if err := c.end(); err != nil {
			return err
		}
	}
	return nil
}

// A cursor walks through the values of a chunk.
type cursor struct {
	pages *pageReader
	page  *page
	at    int // in page
}

func newCursor(f io.ReaderAt, c *chunk, col column) *cursor {
	return &cursor{pages: newPageReader(f, c, col), page: &page{}}
}

// seek moves a new cursor to a row of its group. The page must have as many rows
// as the index says, see readPage.
func (c *cursor) seek(g *group, n int64) error {
	p := c.pages
	index, err := readIndex(p.r, g, p.col)
	if err != nil {
		return err
	}
	if p.c.dict {
		h, raw, err := p.read()
		if err == nil {
			err = p.dictionary(h, raw)
		}
		if err != nil {
			return err
		}
	}
	l := index[sort.Search(len(index), func(i int) bool { return index[i].row > n })-1]
	p.at = l.at
	page, err := p.next()
	switch {
	case err == io.EOF:
		return errIndex
	case err != nil:
		return err
	case int64(page.n) != l.rows || p.at != l.at+l.size:
		return errIndex
	}
	c.page, c.at = page, int(n-l.row)
	return nil
}

// next puts the next value into its field.
func (c *cursor) next(r *Row) error {
	for c.at == c.page.n {
		p, err := c.pages.next()
		switch {
		case err == io.EOF:
			return errCount
		case err != nil:
			return err
		}
		c.page, c.at = p, 0
	}
	c.page.put(r, c.pages.col, c.at)
	c.at++
	return nil
}

// end returns an error if there are more values.
func (c *cursor) end() error {
	if c.at != c.page.n || c.pages.at != c.pages.c.end {
		return errCount
	}
	return nil
}

// put puts a page's i-th value into its field.
func (p *page) put(r *Row, col column, i int) {
	switch col {
	case colName:
		r.Name = text(p.bytes[i])
	case colData:
		r.Data = p.bytes[i]
	case colWidth:
		r.Width = int(p.ints[i])
	case colHeight:
		r.Height = int(p.ints[i])
	case colSize:
		r.Size = p.ints[i]
	case colTime:
		r.Time = time.UnixMilli(p.ints[i]).UTC()
	case colError:
		r.Error = text(p.bytes[i])
	}
}

// text returns a page's value as a string without a copy: no page is written to
// once it is decoded.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
