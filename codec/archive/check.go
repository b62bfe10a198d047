package archive

import (
	"context"
	"io"
	"iter"
)

// Check reads everything: it compares each shard's SHA-256 with the manifest's,
// and each page's CRC, and decodes each row. It yields the shards one after the
// other, each with what is wrong with it, or nil. If ctx ends, its error is the
// last.
func (a *Archive) Check(ctx context.Context) iter.Seq2[*Shard, error] {
	return func(yield func(*Shard, error) bool) {
		for _, s := range a.shards {
			err := s.check(ctx)
			if !yield(s, err) || ctx.Err() != nil {
				return
			}
		}
	}
}

func (s *Shard) check(ctx context.Context) error {
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
		case err != nil:
			return named(s.Info.Name, err)
		case rows == 0:
			first = r.row.Name
		case rows%4096 == 0 && ctx.Err() != nil:
			return ctx.Err()
		}
		last = r.row.Name
		rows++
	}
	if first != s.Info.First || last != s.Info.Last || rows != s.Info.Rows {
		return named(s.Info.Name, errFirst)
	}
	return nil
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
