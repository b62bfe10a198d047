package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/semaphore"
)

// A body is what a client has sent, in memory that it shares with others.
type body struct {
	data   []byte
	held   int64
	total  *semaphore.Weighted
	shares *shares
	sharer string
}

func (b *body) release() {
	b.free(b.held)
	b.data, b.held = nil, 0
}

func (b *body) free(n int64) {
	b.total.Release(n)
	b.shares.free(b.sharer, n)
}

// errNoMemory means that the bodies of others take what there is, and errNoShare
// that those of the same client take half of it.
var (
	errNoMemory = errors.New("no memory for bodies")
	errNoShare  = errors.New("no memory for more bodies of a client")
)

// grow makes room for n more bytes, if there is memory. The memory is taken as
// the bytes arrive, so that who announces much and sends little holds little.
func (b *body) grow(n int) error {
	if cap(b.data)-len(b.data) >= n {
		return nil
	}
	size := max(2*cap(b.data), 64<<10)
	if !b.shares.take(b.sharer, int64(size)) { // old and new are there at once
		return errNoShare
	}
	if !b.total.TryAcquire(int64(size)) {
		b.shares.free(b.sharer, int64(size))
		return errNoMemory
	}
	data := make([]byte, len(b.data), size)
	copy(data, b.data)
	b.free(b.held)
	b.data, b.held = data, int64(size)
	return nil
}

func (b *body) readFrom(r io.Reader) error {
	for {
		if err := b.grow(1); err != nil {
			return err
		}
		n, err := r.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readBody reads a body, or a part of it. The caller must release it.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, from io.Reader, limit int64, why string) (*body, error) {
	if from == r.Body {
		if err := checkLength(w, r, limit, why); err != nil {
			return nil, err
		}
	}
	b := &body{total: s.bodies, shares: s.shares, sharer: sharer(r)}
	err := b.readFrom(io.LimitReader(from, limit+1))
	if err == nil && int64(len(b.data)) > limit {
		err = bodyTooLarge.problem("at most %d bytes; %s", limit, why)
	}
	if err == nil && from != r.Body {
		err = discard(r.Body)
	}
	if err != nil {
		b.release()
		return nil, s.bodyProblem(w, r, err)
	}
	// The server goes on reading, to notice that the client leaves: a deadline
	// would take it for gone.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return b, nil
}

// checkLength refuses a body that announces more than the limit before any of it
// is read: a client that waits for that keeps it.
func checkLength(w http.ResponseWriter, r *http.Request, limit int64, why string) error {
	if r.ContentLength <= limit {
		return nil
	}
	w.Header().Set("Connection", "close")
	return bodyTooLarge.problem("%d bytes: at most %d; %s", r.ContentLength, limit, why)
}

// discard reads what follows the part of a form that is wanted.
func discard(rest io.Reader) error {
	n, err := io.Copy(io.Discard, io.LimitReader(rest, multipartOverhead+1))
	if err == nil && n > multipartOverhead {
		err = badBody.problem("more than %d bytes follow the picture", multipartOverhead)
	}
	return err
}

// bodyProblem returns what an error of reading a body is to the client. The rest
// of the body is not wanted.
func (s *Server) bodyProblem(w http.ResponseWriter, r *http.Request, err error) error {
	w.Header().Set("Connection", "close")
	switch {
	case problemOf(err) != nil:
		return err
	case errors.Is(context.Cause(r.Context()), errStopping): // by a deadline of now
		return r.Context().Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return slowBody.problem("it must come within %v", s.Limits.BodyTime)
	case errors.Is(err, errNoMemory):
		return busy.problem("the bodies of other requests take all of %d bytes", s.Limits.BodyMemory)
	case errors.Is(err, errNoShare):
		return busy.problem("the bodies of this client's requests take all of its %d bytes", s.shares.each)
	case r.Context().Err() != nil:
		return r.Context().Err()
	}
	return badBody.problem("%v", err)
}
