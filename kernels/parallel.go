package kernels

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A task is work in numbered pieces that may run in any order and at once.
// It is an interface so that a kernel can keep its arguments in a recycled
// struct: a closure would be an allocation per call.
type task interface{ do(i int) }

// A job is a task being worked on by several goroutines.
type job struct {
	task task
	n    int64
	next atomic.Int64 // the next piece to hand out
	done atomic.Int64 // pieces finished
	refs atomic.Int64 // goroutines that may still look at this job
	wake chan struct{}
}

// The pool: workers wait on queue; a job is put there once for every worker
// that should help. A worker that comes late finds no piece left and goes on.
var (
	queue    = make(chan *job, 1024)
	workers  atomic.Int64
	freeJobs = sync.Pool{New: func() any { return &job{wake: make(chan struct{}, 1)} }}
)

func (j *job) work() {
	for {
		i := j.next.Add(1) - 1
		if i >= j.n {
			break
		}
		j.task.do(int(i))
		if j.done.Add(1) == j.n {
			j.wake <- struct{}{}
		}
	}
	if j.refs.Add(-1) == 0 {
		j.task = nil
		freeJobs.Put(j)
	}
}

func worker() {
	for j := range queue {
		j.work()
	}
}

// parallel runs t.do(0) ... t.do(n-1) on up to GOMAXPROCS goroutines, the
// caller's among them, and returns when all have finished. Pieces are handed
// out one by one, so they need not cost the same.
func parallel(n int, t task) {
	helpers := min(n, runtime.GOMAXPROCS(0)) - 1
	if helpers <= 0 {
		for i := range n {
			t.do(i)
		}
		return
	}
	for w := workers.Load(); w < int64(helpers); w = workers.Load() {
		if workers.CompareAndSwap(w, w+1) {
			go worker()
		}
	}
	j := freeJobs.Get().(*job)
	j.task, j.n = t, int64(n)
	j.next.Store(0)
	j.done.Store(0)
	j.refs.Store(int64(helpers) + 2) // the helpers, work below, and this function
	sent := 0
	for ; sent < helpers; sent++ {
		select {
		case queue <- j:
			continue
		default: // every worker is behind; do without
		}
		break
	}
	j.refs.Add(int64(sent - helpers))
	j.work()
	<-j.wake
	if j.refs.Add(-1) == 0 {
		j.task = nil
		freeJobs.Put(j)
	}
}

type funcTask func(i int)

func (f funcTask) do(i int) { f(i) }

// Parallel runs f(0) ... f(n-1) on up to GOMAXPROCS goroutines and returns
// when all have finished. The pieces must not depend on each other's order.
func Parallel(n int, f func(i int)) { parallel(n, funcTask(f)) }
