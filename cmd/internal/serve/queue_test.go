package serve

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A testTask notes what happens to it.
type testTask struct {
	name string
	log  *taskLog
}

type taskLog struct {
	mu        sync.Mutex
	done      []string
	dropped   []string
	positions map[string]int
}

func (t *testTask) run(context.Context) {
	t.log.mu.Lock()
	defer t.log.mu.Unlock()
	t.log.done = append(t.log.done, t.name)
}

func (t *testTask) moved(position int) {
	t.log.mu.Lock()
	defer t.log.mu.Unlock()
	t.log.positions[t.name] = position
}

func (t *testTask) dropped() { t.log.dropped = append(t.log.dropped, t.name) }

// TestFairness: the queue goes round the clients. Each task's position is the
// place in which it is done, whatever comes or leaves.
func TestFairness(t *testing.T) {
	log := &taskLog{positions: map[string]int{}}
	q := newQueue(10, 6)
	tasks := map[string]*testTask{}
	add := func(client, name string) error {
		tasks[name] = &testTask{name, log}
		return q.add(client, tasks[name])
	}
	for _, name := range strings.Fields("a1 a2 a3 a4 b1 b2 c1") {
		if err := add(name[:1], name); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Fields("a1 b1 c1 a2 b2 a3 a4")
	check := func(want []string) {
		t.Helper()
		if len(q.order()) != q.len() || q.len() != len(want) {
			t.Fatalf("%d tasks, want %v", q.len(), want)
		}
		for i, name := range want {
			if log.positions[name] != i+1 {
				t.Errorf("%s has position %d, want %d", name, log.positions[name], i+1)
			}
		}
	}
	check(want)
	if q.next() != tasks["a1"] { // a's turn is over
		t.Error("a1 is not the first")
	}
	q.report()
	check(strings.Fields("b1 c1 a2 b2 a3 a4"))
	if !q.remove(tasks["c1"]) || q.remove(tasks["c1"]) || q.remove(tasks["a1"]) {
		t.Error("remove: c1 waits once, a1 does not")
	}
	check(strings.Fields("b1 a2 b2 a3 a4"))
	for _, c := range []struct{ client, name, problem string }{
		{"a", "a5", ""}, {"a", "a6", ""}, {"a", "a7", ""}, {"a", "a8", "client-queue-full"}, {"d", "d1", ""}, {"e", "e1", ""}, {"f", "f1", "queue-full"}, {"a", "a9", "queue-full"},
	} {
		err := add(c.client, c.name)
		if got := ""; err != nil {
			if got = strings.TrimPrefix(problemOf(err).Type, "urn:coclico:problem:"); got != c.problem {
				t.Errorf("%s: %v, want %s", c.name, err, c.problem)
			}
		} else if c.problem != "" {
			t.Errorf("%s: no error, want %s", c.name, c.problem)
		}
	}
	want = strings.Fields("b1 a2 d1 e1 b2 a3 a4 a5 a6 a7")
	check(want)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		q.work(ctx)
		close(ended)
	}()
	last := &untilRun{ran: make(chan struct{})}
	for q.add("z", last) != nil { // the queue may be full yet
		time.Sleep(time.Millisecond)
	}
	<-last.ran
	for q.len() > 0 {
		time.Sleep(time.Millisecond)
	}
	left := q.close()
	<-ended
	cancel()
	log.mu.Lock()
	defer log.mu.Unlock()
	if !slices.Equal(log.done, want) || len(left) != 0 {
		t.Errorf("done are %v and left %v, want %v", log.done, left, want)
	}
	if err := add("a", "late"); err == nil || problemOf(err).Status != http.StatusServiceUnavailable {
		t.Errorf("a closed queue: %v", err)
	}
}

type untilRun struct{ ran chan struct{} }

func (u *untilRun) run(context.Context) { close(u.ran) }
func (u *untilRun) moved(int)           {}
func (u *untilRun) dropped()            {}

// TestQueueFull: what does not fit is 429, with the limit's flag and the time to
// try again. Nothing of it is left.
func TestQueueFull(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Queue, c.Limits.ClientQueue = 3, 2 })
	var posted []decodeJSON
	for n := range 3 { // one runs, two wait
		d := s.post(202, slow+fmt.Sprintf("&client=%d", n), s.encode(n, ""))
		posted = append(posted, d)
		if n == 0 {
			s.watchDecode(d.ID).until("step")
		}
	}
	if posted[1].Position != 1 || posted[2].Position != 2 {
		t.Errorf("positions %d and %d", posted[1].Position, posted[2].Position)
	}
	a := s.do(429, "POST", "/v1/decodes", s.encode(9, ""), "Content-Type: "+fileType)
	if p := a.problem(t); p.Type != "urn:coclico:problem:client-queue-full" || !strings.Contains(p.Detail, "2 decodes") || !strings.Contains(p.Detail, "--client-queue") || a.Header.Get("Retry-After") == "" {
		t.Errorf("%+v, Retry-After %q", p, a.Header.Get("Retry-After"))
	}
	a = s.do(429, "POST", "/v1/encode?candidates=2", photo(t, 1), "Content-Type: image/png")
	if p := a.problem(t); p.Type != "urn:coclico:problem:client-queue-full" {
		t.Errorf("candidates: %+v", p)
	}
	s.encode(1, "") // encoding has no queue
	if again := s.post(202, slow, s.encode(2, "")); again.ID != posted[2].ID {
		t.Error("what waits already cannot be shared")
	}
	w := s.watchDecode(posted[2].ID)
	w.until("position")
	s.deleted(posted[1].ID, "?client=1")
	if e := w.until("position"); e[len(e)-1].data.Position != 1 {
		t.Errorf("it moves to %+v", e)
	}
	s.post(202, slow, s.encode(9, ""))
	if n := len(s.decodes.byID); n != 3 {
		t.Errorf("the server knows %d decodes, want 3", n)
	}
}

// TestExpiry: a decode that has ended is kept for its time.
func TestExpiry(t *testing.T) {
	c := parsed(t) // by workers that must not begin in the bubble
	synctest.Test(t, func(t *testing.T) {
		s := &Server{decodes: newStore(time.Hour, 1<<20), draining: make(chan struct{})}
		add := func(id string) *decode {
			d, created := s.decodes.post(id, func(seq int) *decode {
				return &decode{server: s, id: id, file: c, state: running, seq: seq, clients: map[string]bool{"x": true}, changed: make(chan struct{})}
			})
			if !created {
				t.Fatalf("%s exists", id)
			}
			return d
		}
		add("a").end(done, nil)
		time.Sleep(59 * time.Minute)
		add("b").end(failed, internal.problem("x"))
		waiting := add("c")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s.decodes.get("a") != nil || s.decodes.get("b") == nil {
			t.Error("after 61 minutes a is there, or b is not")
		}
		again := add("b") // it failed
		if again.seq != 1 {
			t.Errorf("the events of the new one begin after %d, want 1", again.seq)
		}
		again.end(canceled, nil)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if s.decodes.get("b") != nil || s.decodes.get("c") != waiting || s.decodes.kept() != 0 {
			t.Errorf("after a day: %v, %d bytes", s.decodes.byID, s.decodes.kept())
		}
		s.decodes.close()
	})
}
