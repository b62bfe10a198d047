package serve

import (
	"context"
	"sync"
)

// A task is work for the painter, which does one at a time. Its methods are not
// called while the queue is locked.
type task interface {
	run(ctx context.Context)
	moved(position int) // it waits, and is to be done as the so many-th
	dropped()           // it will not run: the server stops
}

// A queue holds a limited round of tasks that wait for the painter.
type queue struct {
	max, maxEach int

	mu     sync.Mutex
	tasks  round[task]
	closed bool
	wake   chan struct{} // has room for one
	moving sync.Mutex    // orders the reports of positions
}

func newQueue(limit, each int) *queue {
	return &queue{max: limit, maxEach: each, wake: make(chan struct{}, 1)}
}

// add appends a task to its client's.
func (q *queue) add(client string, t task) error {
	if err := q.insert(client, t); err != nil {
		return err
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	q.report()
	return nil
}

func (q *queue) insert(client string, t task) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch own := q.tasks.of(client); {
	case q.closed:
		return stopping.problem("it takes no more work")
	case q.tasks.length >= q.max:
		return queueFull.problem("%d decodes wait already; --queue allows more", q.tasks.length)
	case own >= q.maxEach:
		return clientQueueFull.problem("%d decodes of this client wait already; --client-queue allows more", own)
	}
	q.tasks.add(client, t)
	return nil
}

// remove removes a task that waits, and reports whether it did.
func (q *queue) remove(t task) bool {
	removed := q.take(t)
	if removed {
		q.report()
	}
	return removed
}

func (q *queue) take(t task) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tasks.remove(t)
}

// next removes the next task. Its client goes to the end of the round.
func (q *queue) next() (t task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t, _ = q.tasks.next()
	return t
}

// work does the tasks until the context ends.
func (q *queue) work(ctx context.Context) {
	for {
		switch t := q.next(); {
		case t != nil:
			q.report()
			t.run(ctx)
		case q.isClosed():
			return
		default:
			select {
			case <-q.wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

// order returns the tasks as they will be done.
func (q *queue) order() []task {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tasks.order()
}

// report reports the positions of all tasks that wait.
func (q *queue) report() {
	q.moving.Lock()
	defer q.moving.Unlock()
	for i, t := range q.order() {
		t.moved(i + 1)
	}
}

// close makes the queue refuse tasks, and returns those that wait. The worker
// ends with what it does.
func (q *queue) close() []task {
	q.mu.Lock()
	defer q.mu.Unlock()
	tasks := q.tasks.order()
	q.closed = true
	q.tasks = round[task]{}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return tasks
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tasks.length
}
