package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/internal/process"
)

// A station is a queue that can be killed, and the flags of its workers.
type station struct {
	t                           *testing.T
	out, address, folder, token string
	server                      *child
}

func newStation(t *testing.T, out string) *station {
	s := &station{t: t, out: out, address: freeAddress(t), folder: filepath.Join(t.TempDir(), "queue"), token: token(t)}
	s.start()
	return s
}

func (s *station) start() {
	s.server = start(s.t, nil, "serve", s.out, "--listen", s.address, "--token-file", s.token, "--queue-folder", s.folder, "--ack-wait", "1s", "--log-level", "debug")
}

// worker starts a worker, by the station's address or another.
func (s *station) worker(address string, variables ...string) *child {
	return start(s.t, variables, "work", "--queue", "nats://"+address, "--token-file", s.token, "--log-level", "debug")
}

// finish waits for the end of the job.
func (s *station) finish(n int, workers ...*child) {
	s.t.Helper()
	if status := s.server.wait(); status != process.OK {
		s.t.Fatalf("serve: status %d", status)
	}
	for _, w := range workers {
		if status := w.wait(); status != process.OK {
			s.t.Errorf("work: status %d", status)
		}
	}
	check(s.t, s.out, n, nil)
	if strings.Contains(s.server.output(), secret) {
		s.t.Error("the log has the token")
	}
}

// half is the number of pictures where fewer do.
const half = all / 2

const begins, done = `"begins"`, `"done"`

// TestKillWorker kills one of two workers inside a chunk.
func TestKillWorker(t *testing.T) {
	t.Parallel()
	r := random(t)
	s := newStation(t, plan(t, all, 20))
	other := s.worker(s.address)
	for inside := false; !inside; {
		w := s.worker(s.address)
		w.until(begins, 1+r.IntN(3))
		time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		w.kill()
		inside = strings.Count(w.output(), begins) > strings.Count(w.output(), done)
	}
	s.finish(all, other)
	if !strings.Contains(other.output(), `"delivery":2`) {
		t.Error("the other worker had nothing delivered again")
	}
}

// TestKillServer kills the queue and starts it again, on its folder or without.
func TestKillServer(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		t.Run(fmt.Sprintf("deleted=%v", deleted), func(t *testing.T) {
			t.Parallel()
			r := random(t)
			s := newStation(t, plan(t, all, 20))
			one, two := s.worker(s.address), s.worker(s.address)
			one.until(begins, 1+r.IntN(5))
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
			s.server.kill()
			if deleted {
				if err := os.RemoveAll(s.folder); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
			s.start()
			s.finish(all, one, two)
		})
	}
}

// TestPublishedTwice publishes every chunk a second time, as a queue that has
// forgotten what it has seen might.
func TestPublishedTwice(t *testing.T) {
	t.Parallel()
	s := newStation(t, plan(t, all, 20))
	s.server.until("the queue listens", 1)
	nc, err := nats.Connect("nats://"+s.address, nats.Token(secret))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := queue.Find(t.Context(), js, queue.DefaultStream, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	// The server purges the queue before it publishes: wait until it has.
	for {
		stream, err := js.Stream(t.Context(), queue.DefaultStream)
		if err != nil {
			t.Fatal(err)
		}
		if stream.CachedInfo().State.Msgs >= all/20 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	for chunk := range all / 20 {
		data, err := json.Marshal(map[string]any{"job": id, "chunk": chunk})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), queue.DefaultStream+".chunks", data); err != nil {
			t.Fatal(err)
		}
	}
	for _, junk := range []string{"", "{", `{"job":"another","chunk":1}`, fmt.Sprintf(`{"job":%q,"chunk":-1}`, id), fmt.Sprintf(`{"job":%q,"chunk":99999}`, id)} {
		if _, err := js.Publish(t.Context(), queue.DefaultStream+".chunks", []byte(junk)); err != nil {
			t.Fatal(err)
		}
	}
	one, two := s.worker(s.address), s.worker(s.address)
	s.finish(all, one, two)
	if n := strings.Count(one.output()+two.output(), begins); n < 2*all/20 {
		t.Errorf("%d chunks were begun, want at least %d", n, 2*all/20)
	}
}

// TestCut cuts the connection of one of two workers for longer than a worker may
// be silent.
func TestCut(t *testing.T) {
	t.Parallel()
	r := random(t)
	s := newStation(t, plan(t, half, 20))
	p := newProxy(t, s.address)
	near, far := s.worker(s.address, pictureVar+"=*=200ms"), s.worker(p.address, pictureVar+"=*=200ms")
	far.until(begins, 1+r.IntN(2))
	p.set(true)
	far.until("the connection to the queue is lost", 1)
	time.Sleep(1500 * time.Millisecond)
	p.set(false)
	far.until("connected to the queue again", 1)
	s.finish(half, near, far)
}

// TestBadPictures has pictures that make the program panic, that never end, and
// that end the process: each has a row with its error.
func TestBadPictures(t *testing.T) {
	t.Parallel()
	const n = 60
	out := plan(t, n, 10)
	bad := map[string]string{pictureName(3): "makes the program panic", pictureName(17): "takes longer than 30s", pictureName(44): "its worker ended twice"}
	how := fmt.Sprintf("%s=%s=panic,%s=hang,%s=exit", pictureVar, pictureName(3), pictureName(17), pictureName(44))
	c := start(t, []string{how}, "run", out, "--workers", "2", "--limit", "30s", "--ack-wait", "1s", "--log-level", "debug")
	if status := c.wait(); status != process.OK {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{"57 pictures done", "3 pictures with errors: coclico-fleet status lists them"} {
		if !strings.Contains(c.output(), want) {
			t.Errorf("run does not say %q", want)
		}
	}
	check(t, out, n, bad)
	var line statusLine
	if err := json.Unmarshal([]byte(call(t, process.OK, "status", out, "--json")), &line); err != nil {
		t.Fatal(err)
	}
	if line.Failed != 3 || len(line.Failures) != 3 || line.Done != n || line.Parts != 6 {
		t.Errorf("status %+v", line)
	}
	// They are well now.
	if got := call(t, process.OK, "retry", out); !strings.HasPrefix(got, "3 pictures") {
		t.Error(got)
	}
	text := call(t, process.OK, "run", out, "--log-level", "debug")
	if got := strings.Count(text, begins); got != 3 {
		t.Errorf("%d chunks were done again, want 3", got)
	}
	check(t, out, n, nil)
}

// TestRefused has workers of another version and of another model.
func TestRefused(t *testing.T) {
	t.Parallel()
	out := plan(t, 20, 10)
	s := newStation(t, out)
	c := start(t, []string{stampVar + "=v9.9.9"}, "work", "--queue", "nats://"+s.address, "--token-file", s.token)
	if status := c.wait(); status != statusRefused || !strings.Contains(c.output(), "this is coclico-fleet v9.9.9, but the job was planned by "+version()) {
		t.Errorf("another version: status %d: %s", status, c.output())
	}
	c = start(t, nil, "work", "--queue", "nats://"+s.address, "--token-file", s.token, "--model", tinyModel(t))
	if status := c.wait(); status != statusRefused || !strings.Contains(c.output(), "the job needs the model built-in") {
		t.Errorf("another model: status %d: %s", status, c.output())
	}
	c = start(t, nil, "work", "--queue", "nats://"+s.address)
	if status := c.wait(); status != process.Failed || !strings.Contains(strings.ToLower(c.output()), "authorization violation") {
		t.Errorf("no token: status %d: %s", status, c.output())
	}
	s.finish(20, s.worker(s.address))
}

// TestTwoRuns runs a job twice at the same time: on one queue the second run is
// told, on two both end with the same results.
func TestTwoRuns(t *testing.T) {
	t.Parallel()
	const n = 60
	out := plan(t, n, 5)
	first := start(t, []string{pictureVar + "=*=200ms"}, "run", out, "--log-level", "debug")
	first.until(begins, 1)
	if text := call(t, process.Failed, "run", out); !strings.Contains(text, "the job is at work on this machine already") {
		t.Error(text)
	}
	second := start(t, []string{pictureVar + "=*=20ms"}, "run", out, "--queue-folder", filepath.Join(t.TempDir(), "queue"))
	for _, c := range []*child{first, second} {
		if status := c.wait(); status != process.OK {
			t.Errorf("status %d", status)
		}
	}
	check(t, out, n, nil)
}

// TestQueueFull gives the queue less of the disk than it needs: it does the
// chunks that it has room for, and then others.
func TestQueueFull(t *testing.T) {
	t.Parallel()
	const n = 40
	out := plan(t, n, 2)
	c := start(t, []string{storeVar + "=600"}, "run", out)
	if status := c.wait(); status != process.OK || !strings.Contains(c.output(), "resource limits exceeded") {
		t.Errorf("status %d: %s", status, c.output())
	}
	check(t, out, n, nil)
}

// TestStopped stops a run in good order, and a worker that has a share: rows that
// are done are not done again.
func TestStopped(t *testing.T) {
	t.Parallel()
	const n = 60
	out := plan(t, n, 30)
	c := start(t, []string{pictureVar + "=*=500ms"}, "work", out, "--shard", "0/1", "--jobs", "1", "--log-level", "debug")
	at := filepath.Join(out, "_tries", "part-00000000")
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if names, _ := os.ReadDir(at); len(names) > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the worker does not begin")
		}
	}
	time.Sleep(2 * time.Second) // of the 15 of a chunk
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status := c.wait(); status != process.Interrupted {
		t.Errorf("status %d: %s", status, c.output())
	}
	names, err := filepath.Glob(filepath.Join(at, "*"))
	if err != nil || len(names) != 1 || !strings.HasPrefix(filepath.Base(names[0]), "kept-") {
		t.Errorf("the worker has left %v (%v), want rows that it kept", names, err)
	}
	run := start(t, []string{pictureVar + "=*=200ms"}, "run", out, "--log-level", "debug")
	run.until(begins, 1)
	if err := run.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status := run.wait(); status != process.Interrupted || !strings.Contains(run.output(), "the same command resumes") {
		t.Errorf("status %d", status)
	}
	call(t, process.OK, "run", out)
	check(t, out, n, nil)
}

// TestShards does a job by three shards. One is killed, and started again until
// it has done its share.
func TestShards(t *testing.T) {
	t.Parallel()
	r := random(t)
	out := plan(t, half, 10)
	var shards []*child
	for i := range 3 {
		shards = append(shards, start(t, []string{"JOB_COMPLETION_INDEX=" + fmt.Sprint(i), shardsVar + "=3"}, "work", out, "--shard", "auto", "--log-level", "debug"))
	}
	shards[1].until(done, 1+r.IntN(3))
	time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
	shards[1].kill()
	shards[1] = start(t, nil, "work", out, "--shard", "1/3")
	for i, s := range shards {
		if status := s.wait(); status != process.OK {
			t.Errorf("shard %d: status %d", i, status)
		}
	}
	check(t, out, half, nil)
}

// TestDeadShard has a picture that ends every process that works on it: the
// fourth one goes around it.
func TestDeadShard(t *testing.T) {
	t.Parallel()
	const n = 20
	out := plan(t, n, 10)
	how := []string{pictureVar + "=" + pictureName(12) + "=exit"}
	statuses := ""
	for range 5 {
		statuses += fmt.Sprint(start(t, how, "work", out, "--shard", "0/1").wait())
	}
	if statuses != "77770" {
		t.Errorf("statuses %s, want four deaths and an end", statuses)
	}
	check(t, out, n, map[string]string{pictureName(12): "its worker ended twice"})
}

// TestForgotten deletes parts of a job that is done: run makes them again.
func TestForgotten(t *testing.T) {
	t.Parallel()
	const n = 40
	out := plan(t, n, 5)
	call(t, process.OK, "run", out)
	b, err := bucket.Open(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range []int{0, 5} {
		if err := b.Remove(t.Context(), job.PartName(chunk)); err != nil {
			t.Fatal(err)
		}
	}
	if text := call(t, process.Failed, "merge", out); !strings.Contains(text, "2 of 8 chunks are missing") {
		t.Error(text)
	}
	if text := call(t, process.OK, "run", out, "--log-level", "debug"); strings.Count(text, begins) != 2 {
		t.Error(text)
	}
	check(t, out, n, nil)
}
