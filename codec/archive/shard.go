package archive

import (
	"errors"
	"io"
	"io/fs"
	"sync"
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
