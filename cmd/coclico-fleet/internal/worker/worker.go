// Package worker does the chunks of a job. It knows nothing of queues: whoever
// calls it says which chunk is next.
//
// A chunk's rows become one object, its part, which is written once: a chunk may
// be done twice, by whomever, and counts once. A picture that cannot be read, that
// makes a decoder panic, or that takes too long has a row with its error, and so
// has one on which the worker's process has ended twice.
package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/codec/archive"
)

// A Maker makes the row of a picture. Its methods may be called concurrently. An
// error is a [PictureError], or fails the chunk.
type Maker interface {
	Make(ctx context.Context, source bucket.Object) (*archive.Row, error)
	// Reads reports whether the source of a name can be read.
	Reads(ctx context.Context, name string) bool
}

// A PictureError is the reason why a picture has no row but one with an error. It
// is a string.
type PictureError string

func (e PictureError) Error() string { return string(e) }

// ErrStopped means that a worker was asked to stop before a chunk was done.
var ErrStopped = errors.New("stopped before the chunk was done")

// A Worker does chunks of a job.
type Worker struct {
	Job    *job.Job
	Out    *bucket.Bucket
	Maker  Maker
	Origin archive.Origin
	Jobs   int           // pictures at a time
	Limit  time.Duration // for one picture
	Log    *slog.Logger

	// Starts has each attempt at a chunk leave a note, by which later ones learn
	// that it was lost: where no queue counts deliveries.
	Starts bool

	// Before, if not nil, is called before each picture, for tests.
	Before func(name string)
	// Count, if not nil, is called after each picture.
	Count func(failed bool)

	once  sync.Once
	names *job.Names
	read  atomic.Pointer[string] // the name of a source that could be read, most likely
	stuck atomic.Int32
}

// grace is how long a picture that took too long may take to notice it.
const grace = 10 * time.Second

// Stuck returns the number of pictures that are still being worked on although
// nobody waits for them: nothing ends a goroutine that does not want to. What
// the Maker uses must not be closed while there are any, and a process with a
// few of them should end and be started again.
func (w *Worker) Stuck() int { return int(w.stuck.Load()) }

// Chunk does a chunk, unless it is done. When soft ends, it keeps the rows for the
// next worker, finishes the pictures that it has begun, keeps those too, and
// returns [ErrStopped]; so it does after an error that is not of a picture, which it
// returns. When ctx ends, it keeps them too, and leaves pictures that it has begun.
// A careful worker goes through a chunk that was lost before picture by picture,
// and finds the one that ends processes.
func (w *Worker) Chunk(ctx, soft context.Context, chunk int, careful bool) error {
	w.once.Do(func() {
		w.names = w.Job.Names(w.Out)
		for _, prefix := range []string{job.PartPrefix, job.ErrorPrefix, job.TryPrefix} {
			w.Out.Tidy(ctx, prefix) // and not the pictures, which may be millions
		}
	})
	sources, err := w.names.Chunk(ctx, chunk)
	if err != nil {
		return err
	}
	if done, err := w.Out.Has(ctx, job.PartName(chunk)); done || err != nil {
		return err
	}
	t, err := w.tries(ctx, chunk, sources)
	if err != nil {
		return err
	}
	if err := w.attempt(ctx, soft, t, careful || t.suspect()); err != nil {
		return err
	}
	return t.clean(ctx)
}

// attempt does a chunk, or leaves its tries in good order: what it has made is
// kept, and no start blames this process. It does so as soon as soft ends, since
// the process may be killed long before its pictures end, and again at its end.
func (w *Worker) attempt(ctx, soft context.Context, t *attempt, careful bool) (err error) {
	after, cancel := afterwards(ctx)
	defer cancel()
	var start string
	if w.Starts {
		if start, err = t.start(ctx); err != nil {
			w.withdraw(after, t, start)
			return err
		}
	}
	leave := func() {
		if w.Starts {
			w.withdraw(after, t, start)
		}
		if careful {
			return // each row is saved when it is made
		}
		// Painting them may have taken an hour: that ctx has ended is no reason.
		if err := t.keep(after); err != nil {
			w.Log.Warn("the rows that are done were not kept", "chunk", t.chunk, "error", err)
		}
	}
	wait := whenDone(soft, leave)
	if careful {
		err = w.carefully(ctx, soft, t)
	} else {
		err = w.together(ctx, soft, t)
	}
	if err == nil {
		err = w.finish(ctx, t.chunk, t.rows)
	}
	wait()
	if err != nil {
		leave()
	}
	return err
}

// whenDone calls f in a goroutine of its own when ctx ends. The result waits for
// that call, or prevents one that has not begun.
func whenDone(ctx context.Context, f func()) (wait func()) {
	once := sync.OnceFunc(f)
	stop := context.AfterFunc(ctx, once)
	return func() {
		if !stop() {
			once() // or wait for its end
		}
	}
}

// withdraw removes a start or a note of this process, which has not ended on a
// picture.
func (w *Worker) withdraw(ctx context.Context, t *attempt, name string) {
	if err := w.Out.Remove(ctx, name); err != nil {
		w.Log.Warn("a note of this attempt was not removed, and may count as the end of a process", "chunk", t.chunk, "error", err)
	}
}

// together works on several pictures at a time. After an error it finishes those
// that it has begun.
func (w *Worker) together(ctx, soft context.Context, t *attempt) error {
	next := make(chan int)
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var group sync.WaitGroup
	for range w.Jobs {
		group.Go(func() {
			for i := range next {
				// Asked here and not where rows are handed out: there a select
				// would have the choice of another row and the end.
				if failed.Err() != nil || soft.Err() != nil {
					continue
				}
				row, err := w.picture(ctx, t, i)
				if err != nil {
					fail(err)
					continue
				}
				t.set(i, row)
			}
		})
	}
	for i, row := range t.rows {
		if row == nil {
			next <- i
		}
	}
	close(next)
	group.Wait()
	switch {
	case failed.Err() != nil:
		return context.Cause(failed)
	case slices.Contains(t.rows, nil):
		return ErrStopped
	}
	return nil
}

// carefully works on one picture at a time, and leaves a note of it before and
// its row after. A picture that has two notes and no row has ended two processes.
func (w *Worker) carefully(ctx, soft context.Context, t *attempt) error {
	for i, row := range t.rows {
		if row != nil {
			continue
		}
		if soft.Err() != nil {
			return ErrStopped
		}
		if t.notes[i] >= deadly {
			w.Log.Warn("a picture has ended its worker twice", "chunk", t.chunk, "row", i)
			t.rows[i] = errorRow(t.sources[i], "its worker ended twice while it worked on this picture")
			continue
		}
		if err := w.noted(ctx, soft, t, i); err != nil {
			return err
		}
	}
	return nil
}

// noted makes a row with a note before and saves it after. The note is withdrawn
// as soon as soft ends: what kills the process then is not the picture.
func (w *Worker) noted(ctx, soft context.Context, t *attempt, i int) (err error) {
	after, cancel := afterwards(ctx)
	defer cancel()
	name, err := t.note(ctx, i)
	leave := func() { w.withdraw(after, t, name) }
	defer func() {
		if err != nil {
			leave()
		}
	}()
	if err != nil {
		return err
	}
	defer whenDone(soft, leave)()
	if t.rows[i], err = w.picture(ctx, t, i); err != nil {
		return err
	}
	return t.save(ctx, fmt.Sprintf("row-%04d", i), t.rows[i:i+1])
}

// picture makes a row. It returns in time even if the picture's work does not, or
// panics.
func (w *Worker) picture(ctx context.Context, t *attempt, i int) (*archive.Row, error) {
	limited, cancel := context.WithTimeout(ctx, w.Limit)
	defer cancel()
	row, err := w.wait(ctx, limited, w.begin(limited, t, i))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && limited.Err() != nil:
		err = PictureError(fmt.Sprintf("takes longer than %v", w.Limit))
	}
	var wrong PictureError
	if errors.As(err, &wrong) {
		row, err = errorRow(t.sources[i], wrong.Error()), nil
	}
	if w.Count != nil && err == nil {
		w.Count(row.Error != "")
	}
	return row, err
}

// A result is what a Maker has returned.
type result struct {
	row *archive.Row
	err error
}

// begin has a row made by a goroutine of its own.
func (w *Worker) begin(ctx context.Context, t *attempt, i int) <-chan result {
	source := t.sources[i]
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				w.Log.Error("a picture makes the program panic", "chunk", t.chunk, "row", i, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				first, _, _ := strings.Cut(fmt.Sprint(p), "\n") // a stack may follow
				r = result{err: PictureError(fmt.Sprintf("makes the program panic: %.200s", first))}
			}
			done <- r
		}()
		if w.Before != nil {
			w.Before(source.Name)
		}
		if err := bucket.CheckName(source.Name); err != nil {
			r.err = PictureError("has " + err.Error())
			return
		}
		r.row, r.err = w.Maker.Make(ctx, source)
		var withheld *withheldError
		if errors.As(r.err, &withheld) {
			r.err = w.blame(ctx, t, i, withheld)
		} else {
			w.read.Store(&source.Name)
		}
	}()
	return done
}

// wait waits for a row until ctx ends, or the limit and a little more. Work that
// does not end then is left behind.
func (w *Worker) wait(ctx, limited context.Context, done <-chan result) (*archive.Row, error) {
	select {
	case r := <-done:
		return r.row, r.err
	case <-limited.Done():
	}
	select {
	case r := <-done:
		return r.row, r.err
	case <-ctx.Done():
	case <-time.After(min(grace, w.Limit)):
	}
	w.stuck.Add(1)
	go func() {
		<-done
		w.stuck.Add(-1)
	}()
	return nil, limited.Err()
}

// errorRow returns the row of a picture that could not be read.
func errorRow(source bucket.Object, reason string) *archive.Row {
	reason = reason[:min(len(reason), archive.MaxName)]
	return &archive.Row{Name: source.Name, Error: strings.ToValidUTF8(reason, "?"), Size: source.Size, Time: source.Time}
}

// A Failure is a row with an error, in the list of a chunk's.
type Failure struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// finish writes a chunk's part, and before it the list of its errors, so that
// none is missing where there is a part.
func (w *Worker) finish(ctx context.Context, chunk int, rows []*archive.Row) error {
	var failures []Failure
	for _, r := range rows {
		if r.Error != "" {
			failures = append(failures, Failure{r.Name, r.Error})
		}
	}
	if failures != nil {
		data, err := json.Marshal(failures)
		if err != nil {
			return err
		}
		if err := w.Out.Replace(ctx, job.ErrorName(chunk), data); err != nil {
			return err
		}
	}
	data, err := encodeShard(&w.Origin, rows)
	if err != nil {
		return err
	}
	err = w.Out.Put(ctx, job.PartName(chunk), data)
	if errors.Is(err, fs.ErrExist) {
		w.Log.Info("another worker was first", "chunk", chunk)
		return nil
	}
	if err == nil && failures != nil {
		w.Log.Warn("pictures with errors: coclico-fleet status lists them", "chunk", chunk, "pictures", len(failures))
	}
	return err
}

// encodeShard returns rows as a shard.
func encodeShard(o *archive.Origin, rows []*archive.Row) ([]byte, error) {
	var b bytes.Buffer
	_, err := archive.WriteShard(&b, o, each(rows))
	return b.Bytes(), err
}

// each yields rows, without those that are nil.
func each(rows []*archive.Row) iter.Seq2[*archive.Row, error] {
	return func(yield func(*archive.Row, error) bool) {
		for _, r := range rows {
			if r != nil && !yield(r, nil) {
				return
			}
		}
	}
}
