package archive

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"sort"
	"sync"
	"time"
	"unsafe"
)

// A Shard is one of an archive's Parquet files. Its methods may be called
// concurrently. Their errors are [ShardError]s.
type Shard struct {
	Info ShardInfo // what the manifest says about it

	archive *Archive

	mu     sync.RWMutex // held for reading while the handle is used
	handle *handle      // for single rows; nil until it is needed
	closed bool
}

// A handle is an open shard.
type handle struct {
	file interface {
		io.ReaderAt
		io.Closer
	}
	footer *footer
}

// open opens the shard's file and checks its footer. If the file is gone because
// another process has put others in its place, the error is ErrChanged.
func (s *Shard) open() (*handle, error) {
	h, err := openShard(s.archive.fsys, &s.Info, s.archive.manifest.Fingerprint)
	if errors.Is(err, errMissing) {
		if m, e := readManifest(s.archive.fsys); e == nil && !m.has(s.Info.Name) {
			err = ErrChanged
		}
	}
	return h, named(s.Info.Name, err)
}

// Origin returns how the shard's rows were made.
func (s *Shard) Origin() (Origin, error) {
	o, _, err := s.describe()
	return o, err
}

// originToMerge is Origin of a shard that is to be merged. If the shard has
// columns that this package does not know, and so would delete, the error is
// errOthers.
func (s *Shard) originToMerge() (Origin, error) {
	o, others, err := s.describe()
	if err == nil && others {
		err = named(s.Info.Name, errOthers)
	}
	return o, err
}

// describe returns how the shard's rows were made, and whether it has columns
// that this package does not know.
func (s *Shard) describe() (o Origin, others bool, err error) {
	h, err := s.open()
	if err != nil {
		return Origin{}, false, err
	}
	defer h.file.Close()
	o, err = originOf(h.footer.notes)
	return o, h.footer.others, named(s.Info.Name, err)
}

// use calls f with an open shard, which stays open for the next call.
func (s *Shard) use(f func(*handle) error) error {
	for {
		s.mu.RLock()
		if h := s.handle; h != nil {
			defer s.mu.RUnlock()
			return named(s.Info.Name, f(h))
		}
		s.mu.RUnlock()
		if err := s.load(); err != nil {
			return err
		}
	}
}

func (s *Shard) load() (err error) {
	s.mu.Lock()
	if s.handle != nil || s.closed {
		defer s.mu.Unlock()
		if s.closed {
			return named(s.Info.Name, fs.ErrClosed)
		}
		return nil
	}
	s.handle, err = s.open()
	s.mu.Unlock()
	if err == nil {
		s.archive.opened(s)
	}
	return err
}

// release closes the shard's file, for good if final is set.
func (s *Shard) release(final bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle != nil {
		s.handle.file.Close()
	}
	s.handle, s.closed = nil, s.closed || final
}

// openFile opens a regular file. Opening a FIFO would wait for somebody to write
// to it.
func openFile(fsys fs.FS, name string) (fs.File, error) {
	stat, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return nil, err
	case !stat.Mode().IsRegular():
		return nil, errIrregular
	}
	return fsys.Open(name)
}

func openShard(fsys fs.FS, info *ShardInfo, fingerprint string) (*handle, error) {
	f, err := openFile(fsys, info.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errMissing // not to be taken for a name that the archive lacks
	case err != nil:
		return nil, err
	}
	h := &handle{}
	var ok bool
	if h.file, ok = f.(interface {
		io.ReaderAt
		io.Closer
	}); !ok {
		err = errors.New("the file system has no random access")
	} else {
		h.footer, err = checkShard(h.file, f, info, fingerprint)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return h, nil
}

// checkShard reads the footer and compares it with what the manifest says. An
// info without bytes says nothing.
func checkShard(r io.ReaderAt, f fs.File, info *ShardInfo, fingerprint string) (*footer, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Bytes != 0 && stat.Size() < info.Bytes {
		return nil, errCut
	}
	foot, err := readFooter(r, stat.Size())
	if err != nil {
		return nil, err
	}
	origin, err := originOf(foot.notes)
	switch {
	case err != nil:
		return nil, err
	case origin.Fingerprint != fingerprint:
		return nil, ErrModel
	case info.Bytes != 0 && info.Rows != foot.rows:
		return nil, errRows
	}
	return foot, nil
}

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

// find returns the number of the row of a name, and whether there is one.
func (s *Shard) find(name string) (row int64, ok bool, err error) {
	err = s.use(func(h *handle) (err error) {
		row, ok, err = find(h.file, h.footer, name)
		return err
	})
	return row, ok, err
}

// Row returns a row by its number. It panics if the shard has no such row.
func (s *Shard) Row(n int64) (r *Row, err error) {
	err = s.use(func(h *handle) (err error) {
		if r, err = readRow(h.file, h.footer, n, allColumns); err == nil {
			err = r.check()
		}
		return err
	})
	return r, err
}

// Data returns the .coclico file of a row by its number, in less time than Row.
// It panics if the shard has no such row.
func (s *Shard) Data(n int64) (data []byte, err error) {
	err = s.use(func(h *handle) error {
		r, err := readRow(h.file, h.footer, n, []column{colData})
		switch {
		case err != nil:
			return err
		case len(r.Data) > MaxData:
			return errData
		}
		data = r.Data
		return nil
	})
	return data, err
}
