package kernels

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A task is work in numbered pieces, which may run in any order and at the same
// time. It is an interface, not a function, so that a kernel can keep its
// arguments in a recycled struct: a closure would cost an allocation per call.
type task interface{ do(i int) }

// A job is a task that several goroutines are working on.
type job struct {
	task task
	n    int64
	next atomic.Int64 // the next piece to hand out
	done atomic.Int64 // pieces finished
	refs atomic.Int64 // goroutines that may still access this job
	wake chan struct{}

	panicked atomic.Pointer[any] // the value of the first panic of a piece
}

// The workers wait on queue, which gets a job once for every worker that should
// help with it. A worker that comes late finds no piece left and moves on.
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
		j.do(int(i))
		if j.done.Add(1) == j.n {
			j.wake <- struct{}{}
		}
	}
	if j.refs.Add(-1) == 0 {
		j.task = nil
		freeJobs.Put(j)
	}
}

// do runs a piece. A panic in it, as of memory that the system refuses, is the
// caller's, who may survive it: see parallel.
func (j *job) do(i int) {
	defer func() {
		if v := recover(); v != nil {
			first := v // v itself would cost an allocation for each piece
			j.panicked.CompareAndSwap(nil, &first)
		}
	}()
	j.task.do(i)
}

func worker() {
	for j := range queue {
		j.work()
	}
}

// parallel runs t.do(0) ... t.do(n-1) on up to GOMAXPROCS goroutines, including
// the caller's, and returns when all of them have finished. Pieces are handed
// out one by one, so they need not take the same time. If one panics, parallel
// does when none runs any more: the caller may then free what they work on.
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
	j.panicked.Store(nil)
	j.refs.Store(int64(helpers) + 2) // the helpers, work below, and this function
	sent := 0
	for ; sent < helpers; sent++ {
		select {
		case queue <- j:
			continue
		default: // every worker is behind; do without more help
		}
		break
	}
	j.refs.Add(int64(sent - helpers))
	j.work()
	<-j.wake
	v := j.panicked.Load()
	if j.refs.Add(-1) == 0 {
		j.task = nil
		freeJobs.Put(j)
	}
	if v != nil {
		panic(*v)
	}
}

type funcTask func(i int)

func (f funcTask) do(i int) { f(i) }

// Parallel runs f(0) ... f(n-1) on up to GOMAXPROCS goroutines, in any order,
// and returns when all of them have finished.
func Parallel(n int, f func(i int)) { parallel(n, funcTask(f)) }
