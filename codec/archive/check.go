package archive

import (
	"context"
	"io"
	"iter"
)

// Check reads everything: it compares each shard's SHA-256 with the manifest's,
// and each page's CRC, and decodes each row. It yields the shards one after the
// other, each with what is wrong with it, or nil. If ctx ends, its error is the
// last. progress, if not nil, is called with the rows read so far and in all;
// what a damaged shard has left counts as read.
func (a *Archive) Check(ctx context.Context, progress func(done, total int64)) iter.Seq2[*Shard, error] {
	return func(yield func(*Shard, error) bool) {
		m := &meter{total: rowsIn(a.manifest.Shards), progress: progress}
		end := int64(0)
		for _, s := range a.shards {
			err := s.check(ctx, m)
			end += s.Info.Rows
			m.add(end - m.done)
			if !yield(s, err) || ctx.Err() != nil {
				return
			}
		}
	}
}

func (s *Shard) check(ctx context.Context, m *meter) error {
	h, err := s.open()
	if err != nil {
		return err
	}
	defer h.file.Close()
	sum, err := hashFile(stoppable{ctx, io.NewSectionReader(h.file, 0, s.Info.Bytes+1)})
	switch {
	case err != nil:
		return named(s.Info.Name, err)
	case sum != s.Info.SHA256:
		return named(s.Info.Name, errHash)
	}
	first, last, rows := "", "", int64(0)
	for r, err := range scan(h.file, h.footer, 0, allColumns) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return named(s.Info.Name, err)
		case rows == 0:
			first = r.row.Name
		}
		last = r.row.Name
		rows++
		m.add(1)
	}
	if first != s.Info.First || last != s.Info.Last || rows != s.Info.Rows {
		return named(s.Info.Name, errFirst)
	}
	return nil
}

// A meter counts rows for whoever shows progress.
type meter struct {
	done, total int64
	progress    func(done, total int64) // or nil
}

// add counts rows. It reports a part of them, and the last one.
func (m *meter) add(n int64) {
	m.done += n
	if m.progress != nil && n > 0 && (m.done%1024 < n || m.done == m.total) {
		m.progress(m.done, m.total)
	}
}

// rowsIn returns how many rows shards have.
func rowsIn(shards []ShardInfo) (n int64) {
	for _, s := range shards {
		n += s.Rows
	}
	return n
}

// stoppable is a reader whose reads end with a context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
