package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/files"
)

// A message is one that records what its receiver answers.
type message struct {
	jetstream.Msg
	data      string
	delivered uint64
	ackErrs   []error // of each DoubleAck in turn, then nil

	beats, acks, naks, terms int
	delay                    time.Duration // of the Nak
}

func chunkMessage(chunk int, delivered uint64) *message {
	data, err := json.Marshal(task{Job: "ours", Chunk: chunk})
	if err != nil {
		panic(err)
	}
	return &message{data: string(data), delivered: delivered}
}

func (m *message) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{NumDelivered: m.delivered}, nil
}
func (m *message) Data() []byte      { return []byte(m.data) }
func (m *message) InProgress() error { m.beats++; return nil }
func (m *message) Nak() error        { m.naks++; return nil }
func (m *message) Term() error       { m.terms++; return nil }

func (m *message) NakWithDelay(d time.Duration) error {
	m.naks, m.delay = m.naks+1, d
	return nil
}

func (m *message) DoubleAck(context.Context) error {
	m.acks++
	if m.acks > len(m.ackErrs) {
		return nil
	}
	return m.ackErrs[m.acks-1]
}

// newPuller returns a puller of a job of three chunks.
func newPuller(chunk func(int, bool) error) *Puller {
	return &Puller{
		Stream: DefaultStream, Job: &job.Job{ID: "ours", Pictures: 3, Chunk: 1}, Log: slog.New(slog.DiscardHandler), beat: time.Second,
		Chunk: func(_, _ context.Context, c int, careful bool) error { return chunk(c, careful) },
	}
}

// TestHeartbeat has a chunk that takes longer than the queue waits for a sign of
// life: without one, another worker would do it too.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, redelivered := chunkMessage(2, 2), 0
		p := newPuller(func(chunk int, careful bool) error {
			if chunk != 2 || careful {
				t.Errorf("chunk %d, careful %v", chunk, careful)
			}
			time.Sleep(10500 * time.Millisecond)
			return nil
		})
		p.Count = func(again bool) {
			if again {
				redelivered++
			}
		}
		if err := p.handle(t.Context(), t.Context(), m); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // the beats have ended
		if m.beats != 10 || m.acks != 1 || m.naks+m.terms > 0 || redelivered != 1 {
			t.Errorf("%+v, redelivered %d", m, redelivered)
		}
	})
}

// TestFullDestination: a worker ends at the first chunk that does not fit, and hands
// it back.
func TestFullDestination(t *testing.T) {
	p := newPuller(func(int, bool) error { return fmt.Errorf("pictures/a.png: %w", files.ErrFull) })
	m := chunkMessage(0, 1)
	if err := p.handle(t.Context(), t.Context(), m); !errors.Is(err, files.ErrFull) || m.naks != 1 || m.acks > 0 {
		t.Errorf("error %v, %+v", err, m)
	}
}

// TestFailures has chunks that fail: each is delivered again after a pause, and
// a worker ends after five in a row.
func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	var fails bool
	p := newPuller(func(int, bool) error {
		if fails {
			return broken
		}
		return nil
	})
	for n := range 2*hopeless - 1 {
		fails = n != hopeless-1 // four, one that does not fail, and four again
		m := chunkMessage(n%3, 1)
		if err := p.handle(t.Context(), t.Context(), m); err != nil {
			t.Fatalf("chunk %d: %v", n, err)
		}
		if fails && (m.naks != 1 || m.delay != 4*time.Second || m.acks > 0) || !fails && (m.acks != 1 || m.naks > 0) {
			t.Errorf("chunk %d: %+v", n, m)
		}
	}
	m := chunkMessage(0, 9)
	if err := p.handle(t.Context(), t.Context(), m); !errors.Is(err, broken) || !strings.Contains(err.Error(), "5 chunks in a row failed") {
		t.Error(err)
	}
	if m.naks != 1 || m.delay != 256*time.Second {
		t.Errorf("delay %v", m.delay)
	}
}

// TestCarefully does a chunk carefully that may have ended other workers.
func TestCarefully(t *testing.T) {
	for _, c := range []struct {
		delivered    uint64
		lost, expect bool
	}{{1, false, false}, {2, false, false}, {3, false, true}, {1, true, true}} {
		called := false
		p := newPuller(func(_ int, careful bool) error {
			if called = true; careful != c.expect {
				t.Errorf("%+v: careful is %v", c, careful)
			}
			return nil
		})
		m := chunkMessage(0, c.delivered)
		if c.lost {
			m.data = `{"job":"ours","chunk":0,"careful":true}`
		}
		if err := p.handle(t.Context(), t.Context(), m); err != nil || !called {
			t.Errorf("%+v: called %v, error %v", c, called, err)
		}
	}
}

// TestHandedBack has a worker that is told to stop: another one gets the chunk at
// once.
func TestHandedBack(t *testing.T) {
	p := newPuller(func(int, bool) error { return worker.ErrStopped })
	m := chunkMessage(0, 1)
	if err := p.handle(t.Context(), t.Context(), m); !errors.Is(err, worker.ErrStopped) || m.naks != 1 || m.delay != 0 || m.acks > 0 {
		t.Errorf("%+v, error %v", m, err)
	}
}

// TestForeignMessages: what is not a chunk of the job is removed, not done.
func TestForeignMessages(t *testing.T) {
	p := newPuller(func(chunk int, _ bool) error {
		t.Errorf("chunk %d is done", chunk)
		return nil
	})
	for _, data := range []string{`{"job":"theirs","chunk":0}`, `{"job":"ours","chunk":-1}`, `{"job":"ours","chunk":3}`, `{"job":"ours","chunk":"0"}`, ""} {
		m := &message{data: data, delivered: 1}
		if err := p.handle(t.Context(), t.Context(), m); err != nil || m.terms != 1 || m.acks+m.naks > 0 {
			t.Errorf("%q: %+v, error %v", data, m, err)
		}
	}
}

// TestAcknowledge has acknowledgments that are lost, which are sent again, and one
// that has arrived before.
func TestAcknowledge(t *testing.T) {
	lost := nats.ErrTimeout
	for want, errs := range map[int][]error{1: {jetstream.ErrMsgAlreadyAckd, lost}, 2: {lost}, 3: {lost, lost, lost, lost}} {
		m := chunkMessage(0, 1)
		m.ackErrs = errs
		p := newPuller(func(int, bool) error { return nil })
		if err := p.handle(t.Context(), t.Context(), m); err != nil || m.acks != want {
			t.Errorf("%v: %d acknowledgments, want %d; error %v", errs, m.acks, want, err)
		}
	}
}

// consumers are a server's, of whom each is lost after the answers that it has.
type consumers struct {
	jetstream.JetStream
	lookups int
	answers [][]error
}

func (c *consumers) Consumer(_ context.Context, stream, name string) (jetstream.Consumer, error) {
	if stream != DefaultStream || name != "encode" {
		return nil, jetstream.ErrConsumerNotFound
	}
	c.lookups++
	return &consumer{errs: c.answers[c.lookups-1]}, nil
}

type consumer struct {
	jetstream.Consumer
	errs []error
}

func (c *consumer) CachedInfo() *jetstream.ConsumerInfo {
	return &jetstream.ConsumerInfo{Config: jetstream.ConsumerConfig{AckWait: time.Minute}}
}

func (c *consumer) Next(...jetstream.FetchOpt) (jetstream.Msg, error) {
	if len(c.errs) == 0 {
		return chunkMessage(0, 1), nil
	}
	err := c.errs[0]
	c.errs = c.errs[1:]
	return nil, err
}

// TestConsumerLost: a consumer that the server has lost is looked up again, after
// a pause, and one without chunks for a while is not.
func TestConsumerLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		js := &consumers{answers: [][]error{
			{nats.ErrTimeout, jetstream.ErrNoMessages, context.DeadlineExceeded, jetstream.ErrConsumerDeleted}, {nats.ErrNoResponders}, {},
		}}
		p := newPuller(nil)
		begun := time.Now()
		for n, lookups := range []int{1, 1, 1, 1, 2} {
			if _, err := p.next(t.Context(), js); err == nil || js.lookups != lookups {
				t.Errorf("wait %d: %d lookups, error %v", n, js.lookups, err)
			}
		}
		if paused := time.Since(begun); paused != 2*wait {
			t.Errorf("the lookups are %v apart", paused)
		}
		if msg, err := p.next(t.Context(), js); err != nil || msg == nil || js.lookups != 3 {
			t.Errorf("%d lookups, error %v", js.lookups, err)
		}
		if p.beat != 15*time.Second {
			t.Errorf("a sign of life every %v", p.beat)
		}
	})
}

// TestPullerEnds has the ways in which a worker ends that gets no chunk.
func TestPullerEnds(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for name, c := range map[string]struct {
		done, stopped, closed bool
		idle                  time.Duration
		want                  string // "" for no error
	}{
		"done":             {done: true},
		"stopped":          {stopped: true, want: worker.ErrStopped.Error()},
		"done and stopped": {done: true, stopped: true},
		"idle":             {idle: time.Second, want: "no chunk for 1s, and the job is not done"},
		"closed":           {closed: true, want: "the queue: " + nats.ErrConnectionClosed.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a look takes seconds
			j, out := jobOf(t, 1)
			nc := queueOf(t, t.TempDir(), log)
			soft, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			if c.done {
				if err := out.Put(t.Context(), job.DoneName, nil); err != nil {
					t.Fatal(err)
				}
			}
			if c.stopped {
				stop()
			}
			if c.closed {
				nc.Close()
			}
			p := &Puller{Stream: DefaultStream, Job: j, Out: out, Idle: c.idle, Log: log}
			got := ""
			if err := p.Run(t.Context(), soft, nc); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
		})
	}
}
