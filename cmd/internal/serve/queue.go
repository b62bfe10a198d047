package serve

import (
	"context"
	"slices"
	"sync"
)

// A task is work for the painter, which does one at a time. Its methods are not
// called while the queue is locked.
type task interface {
	run(ctx context.Context)
	moved(position int) // it waits, and is to be done as the so many-th
	dropped()           // it will not run: the server stops
}

// A queue holds tasks that wait for the painter. It goes round the clients, who
// have a queue each, so that each waits for at most one task of every other
// client before its next one.
type queue struct {
	max, maxEach int

	mu      sync.Mutex
	clients []*clientQueue // those who have tasks, the next one first
	length  int
	closed  bool
	wake    chan struct{} // has room for one
	moving  sync.Mutex    // orders the reports of positions
}

type clientQueue struct {
	name  string
	tasks []task
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
	i := slices.IndexFunc(q.clients, func(c *clientQueue) bool { return c.name == client })
	switch {
	case q.closed:
		return stopping.problem("it takes no more work")
	case q.length >= q.max:
		return queueFull.problem("%d decodes wait already; --queue allows more", q.length)
	case i >= 0 && len(q.clients[i].tasks) >= q.maxEach:
		return clientQueueFull.problem("%d decodes of this client wait already; --client-queue allows more", len(q.clients[i].tasks))
	case i < 0:
		q.clients = append(q.clients, &clientQueue{name: client})
		i = len(q.clients) - 1
	}
	q.clients[i].tasks = append(q.clients[i].tasks, t)
	q.length++
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
	for i, c := range q.clients {
		if j := slices.Index(c.tasks, t); j >= 0 {
			c.tasks = slices.Delete(c.tasks, j, j+1)
			q.length--
			if len(c.tasks) == 0 {
				q.clients = slices.Delete(q.clients, i, i+1)
			}
			return true
		}
	}
	return false
}

// next removes the next task. Its client goes to the end of the round.
func (q *queue) next() (t task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.clients) == 0 {
		return nil
	}
	c := q.clients[0]
	t = c.tasks[0]
	c.tasks = slices.Delete(c.tasks, 0, 1)
	q.clients = slices.Delete(q.clients, 0, 1)
	if len(c.tasks) > 0 {
		q.clients = append(q.clients, c)
	}
	q.length--
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
	return q.inOrder()
}

// inOrder is order for callers that have locked the queue.
func (q *queue) inOrder() (tasks []task) {
	for round := 0; len(tasks) < q.length; round++ {
		for _, c := range q.clients {
			if round < len(c.tasks) {
				tasks = append(tasks, c.tasks[round])
			}
		}
	}
	return tasks
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
	tasks := q.inOrder()
	q.closed = true
	q.clients, q.length = nil, 0
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
	return q.length
}
