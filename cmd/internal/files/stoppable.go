package files

import (
	"bytes"
	"context"
	"io"
	"time"
)

// await returns what work returns. If ctx ends first, it returns its error, and
// work is abandoned: it goes on alone, with what it was given.
func await[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := work()
		done <- result{v, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case r := <-done:
		return r.v, r.err
	}
}

// read returns work for await that reads into p. If it is abandoned, p is lost,
// because the Read may still write to it.
func read(r io.Reader, p []byte) func() (int, error) {
	return func() (int, error) { return r.Read(p) }
}

// stoppable is a reader whose reads end with a context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (n int, err error) {
	buf := make([]byte, len(p))
	n, err = await(s.ctx, read(s.r, buf))
	return copy(p, buf[:n]), err
}

// stoppableWriter is a writer whose writes end with a context.
type stoppableWriter struct {
	ctx context.Context
	w   io.Writer
}

func (s stoppableWriter) Write(p []byte) (n int, err error) {
	p = bytes.Clone(p) // the caller may use its own again, and an abandoned Write still reads
	return await(s.ctx, func() (int, error) { return s.w.Write(p) })
}

// lasting returns a context that ends some time after ctx does.
func lasting(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(after, cancel) })
	return long, func() { stop(); cancel() }
}
