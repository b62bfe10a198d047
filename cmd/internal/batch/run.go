package batch

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
)

// A Status is how a job ended.
type Status string

const (
	Done      Status = "done"
	Unchanged Status = "unchanged" // the result existed: see the package's comment
	Failed    Status = "failed"
)

// A Result is the end of a job.
type Result struct {
	Job
	Status  Status
	Bytes   int64         // of the result, if Done
	Elapsed time.Duration // of the work, reading ahead not counted
	Err     error         // if Failed
}

// A Summary counts how jobs ended. A job that was not begun is in no count.
type Summary struct {
	Done, Unchanged int
	Failed          []Result
	Elapsed         time.Duration
}

// An Input is an open file. Read makes of it what the work needs.
type Input[T any] struct {
	Memory int64 // bytes that Read takes
	Read   func() (T, error)
}

// A Store is where results go. [Plan.On] returns that of files.
type Store interface {
	// Done reports whether a job needs no work. It is called in the order of
	// the jobs, ahead of the work.
	Done(j Job) bool
	// Foreign returns an error if something else has the result's place.
	Foreign(j Job) error
	// Put calls fill to make a result, keeps it, and returns the number of its
	// bytes. An error that every other job would meet is a [Fatal] one.
	Put(j Job, fill func(io.Writer) error) (int64, error)
}

// Each yields jobs as Run takes them.
func Each(jobs []Job) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		for _, j := range jobs {
			if !yield(j, nil) {
				return
			}
		}
	}
}

// A Runner does jobs: inputs are read concurrently, the work is done on one at
// a time, in the order of the jobs.
type Runner[T any] struct {
	Store  Store
	Force  bool  // redo what is done and unchanged, and overwrite what is not a result
	Ahead  int   // inputs in memory at once, at least 1
	Memory int64 // bytes that they may take together; an input that takes more is alone

	// Open opens an input as far as it takes to know what it needs. Its Read
	// closes it.
	Open func(ctx context.Context, j Job) (*Input[T], error)
	// Work makes a result, and returns what writes it. An error is about this
	// job, unless it is [Fatal] or the context's.
	Work func(ctx context.Context, j Job, input T) (func(io.Writer) error, error)

	Begin  func(i int, j Job)    // called before the work on a job, whose input may still be read
	Report func(i int, r Result) // called at the end of each, in order
}

// Fatal marks an error that every other job would meet as well.
func Fatal(err error) error { return fatal{err} }

type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// An entry is a job between its reader and the work.
type entry[T any] struct {
	Job
	unchanged bool
	memory    int64
	ready     chan struct{} // closed when input and err are set
	input     T
	err       error
}

// Run does the jobs. It returns an error if it could not start or continue: a
// [Fatal] one, the context's, or that of the jobs.
func (r *Runner[T]) Run(ctx context.Context, jobs iter.Seq2[Job, error]) (s Summary, err error) {
	start := time.Now()
	ctx, stop := context.WithCancel(ctx)
	budget := newBudget(r.Memory)
	stopWaiting := context.AfterFunc(ctx, budget.close)
	slots := make(chan struct{}, r.Ahead)
	entries := make(chan *entry[T], r.Ahead)
	var readers sync.WaitGroup
	defer func() {
		stop()
		stopWaiting()
		readers.Wait()
		s.Elapsed = time.Since(start)
	}()
	var listErr error // set before entries is closed
	readers.Go(func() {
		defer close(entries)
		listErr = r.readAhead(ctx, jobs, slots, budget, &readers, entries)
	})
	for i := 0; ; i++ {
		e, more := <-entries
		if !more {
			return s, cmp.Or(ctx.Err(), listErr)
		}
		result, err := r.finish(ctx, i, e)
		if err != nil {
			return s, err
		}
		if !e.unchanged {
			budget.release(e.memory)
			<-slots
		}
		switch result.Status {
		case Done:
			s.Done++
		case Unchanged:
			s.Unchanged++
		case Failed:
			s.Failed = append(s.Failed, result)
		}
		r.Report(i, result)
	}
}

// readAhead opens the jobs' inputs in order, so that the first always gets its
// memory, and reads them concurrently.
func (r *Runner[T]) readAhead(ctx context.Context, jobs iter.Seq2[Job, error], slots chan<- struct{}, budget *budget, readers *sync.WaitGroup, entries chan<- *entry[T]) error {
	for j, err := range jobs {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		e := &entry[T]{Job: j, ready: make(chan struct{})}
		e.Open, e.seen = nil, j.changed() // Open may hold the whole input, and results outlive that
		if e.unchanged = !r.Force && r.Store.Done(j); !e.unchanged {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			input, err := r.open(ctx, j)
			if err != nil {
				e.err = err
				close(e.ready)
			} else {
				e.memory = input.Memory
				if !budget.acquire(e.memory) {
					_, _ = input.Read() // which closes it, and stops since ctx has ended
					return nil
				}
				readers.Go(func() {
					defer close(e.ready)
					e.input, e.err = input.Read()
				})
			}
		}
		select {
		case entries <- e:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (r *Runner[T]) open(ctx context.Context, j Job) (*Input[T], error) {
	if j.Unread != nil {
		return nil, files.Named(j.Input, j.Unread)
	}
	if !r.Force {
		if err := r.Store.Foreign(j); err != nil {
			return nil, err
		}
	}
	return r.Open(ctx, j)
}

// finish does the work on an input and writes the result.
func (r *Runner[T]) finish(ctx context.Context, i int, e *entry[T]) (Result, error) {
	result := Result{Job: e.Job, Status: Unchanged}
	if e.unchanged {
		return result, nil
	}
	if err := ctx.Err(); err != nil {
		return result, err
	}
	r.Begin(i, e.Job)
	select {
	case <-e.ready:
	case <-ctx.Done():
		return result, ctx.Err()
	}
	start := time.Now()
	n, err := r.work(ctx, e)
	result.Elapsed = time.Since(start)
	var f fatal
	switch {
	case err == nil:
		result.Status, result.Bytes = Done, n
		return result, nil
	case ctx.Err() != nil:
		return result, ctx.Err()
	case errors.As(err, &f):
		return result, f.error
	}
	result.Status, result.Err = Failed, err
	return result, nil
}

func (r *Runner[T]) work(ctx context.Context, e *entry[T]) (int64, error) {
	if e.err != nil {
		return 0, e.err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	fill, err := r.Work(ctx, e.Job, e.input)
	if err != nil {
		return 0, err
	}
	var zero T
	e.input = zero // not needed while the result is written
	return r.Store.Put(e.Job, fill)
}

// A budget is the memory that inputs share.
type budget struct {
	mu     sync.Mutex
	change sync.Cond
	free   int64
	all    int64
	closed bool
}

func newBudget(n int64) *budget {
	b := &budget{free: n, all: n}
	b.change.L = &b.mu
	return b
}

// acquire waits for n bytes. It returns false if the budget was closed. Only
// one goroutine may call it.
func (b *budget) acquire(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.free < min(n, b.all) && !b.closed {
		b.change.Wait()
	}
	b.free -= n
	return !b.closed
}

func (b *budget) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	b.change.Broadcast()
}

func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.change.Broadcast()
}
