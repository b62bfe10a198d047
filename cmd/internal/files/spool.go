package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// A spool makes a [File] of a stream. It keeps in memory what has been read so
// far and reads no further than it must, so that a pipe can be refused for its
// first bytes. It grows block by block, without copying.
type spool struct {
	ctx   context.Context
	name  string
	r     io.ReadCloser
	limit int64

	mu     sync.Mutex // of all below
	blocks [][]byte   // of blockSize bytes each
	n      int64      // bytes read
	err    error      // why there are no more bytes
	at     int64      // offset of Read
}

const blockSize = 1 << 18

func newSpool(ctx context.Context, name string, r io.ReadCloser, limit int64) *spool {
	return &spool{ctx: ctx, name: name, r: r, limit: limit}
}

// fill reads until the spool has end bytes, or the stream ends.
func (s *spool) fill(end int64) {
	for s.n < end && s.err == nil {
		if s.n == int64(len(s.blocks))*blockSize {
			s.blocks = append(s.blocks, make([]byte, blockSize))
		}
		room := s.blocks[s.n/blockSize][s.n%blockSize:]
		n, err := await(s.ctx, read(s.r, room[:min(int64(len(room)), s.limit+1-s.n)]))
		s.n, s.err = s.n+int64(n), err
		if s.n > s.limit {
			s.n, s.err = s.limit, tooLong(s.limit)
		}
	}
}

// copyAt copies the bytes that the spool has at an offset.
func (s *spool) copyAt(p []byte, at int64) (n int) {
	for n < len(p) && at < s.n {
		block := s.blocks[at/blockSize][at%blockSize:]
		m := copy(p[n:], block[:min(int64(len(block)), s.n-at)])
		n, at = n+m, at+int64(m)
	}
	return n
}

func (s *spool) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if s.fill(s.at + 1); s.at >= s.n {
		return 0, s.err
	}
	n := s.copyAt(p, s.at)
	s.at += int64(n)
	return n, nil
}

func (s *spool) ReadAt(p []byte, at int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at < 0 {
		return 0, errOffset
	}
	s.fill(min(at, s.limit) + int64(len(p)))
	if n := s.copyAt(p, at); n < len(p) {
		return n, s.err
	}
	return len(p), nil
}

func (s *spool) Seek(offset int64, whence int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		if s.fill(s.limit + 1); s.err != io.EOF {
			return 0, s.err
		}
		offset += s.n
	}
	if offset < 0 {
		return 0, errOffset
	}
	s.at = offset
	return offset, nil
}

func (s *spool) Close() error { return s.r.Close() }

var errOffset = errors.New("negative offset")

func tooLong(limit int64) error { return fmt.Errorf("more than %d bytes", limit) }

// A pipe is a file that is opened when it is first read, because opening one
// waits for a writer.
type pipe struct {
	path string
	f    atomic.Pointer[os.File] // loaded by Close while an abandoned Read may open it
}

func (p *pipe) Read(b []byte) (int, error) {
	if p.f.Load() == nil {
		f, err := os.Open(p.path)
		if err != nil {
			return 0, err
		}
		p.f.Store(f)
	}
	return p.f.Load().Read(b)
}

func (p *pipe) Close() error {
	if f := p.f.Load(); f != nil {
		return f.Close()
	}
	return nil
}

// cancelable is a file whose reads fail when its context has ended.
type cancelable struct {
	ctx context.Context
	*os.File
}

func (c cancelable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.File.Read(p)
}

func (c cancelable) ReadAt(p []byte, at int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.File.ReadAt(p, at)
}
