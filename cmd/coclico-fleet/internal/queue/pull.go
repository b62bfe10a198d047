package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/files"
)

// A Puller does the chunks that a queue hands out, one at a time.
type Puller struct {
	Stream string
	Job    *job.Job
	Out    *bucket.Bucket
	Chunk  func(ctx, soft context.Context, chunk int, careful bool) error
	Idle   time.Duration // without a chunk, after which it ends; 0 for never
	Log    *slog.Logger
	Count  func(redelivered bool) // called for each chunk, if not nil

	failures int           // chunks in a row
	beat     time.Duration // between signs of life
	consumer jetstream.Consumer
}

const (
	suspect  = 3               // deliveries of a chunk, after which it is done carefully
	wait     = 3 * time.Second // for a chunk, before looking whether the job is done
	hopeless = 5               // failed chunks, or looks, in a row, after which a worker ends
)

// Run does chunks until the job is done, which it returns as nil, or soft ends:
// then it hands back the chunk that it has, see [worker.Worker.Chunk].
func (p *Puller) Run(ctx, soft context.Context, nc *nats.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	defer nc.FlushTimeout(5 * time.Second) // what was handed back
	busy := time.Now()
	looks := 0 // that failed, in a row
	for soft.Err() == nil {
		msg, err := p.next(soft, js)
		switch {
		case err == nil:
			if err := p.handle(ctx, soft, msg); err != nil {
				return err
			}
			busy, looks = time.Now(), 0
			continue
		case nc.IsClosed():
			if err := nc.LastError(); err != nil {
				return fmt.Errorf("the queue: %w", err)
			}
			return fmt.Errorf("the queue: %w", nats.ErrConnectionClosed)
		case soft.Err() != nil:
			continue
		}
		done, err := p.Out.Has(ctx, job.DoneName)
		switch {
		case done:
			return nil
		case err == nil:
			looks = 0
		default:
			if looks++; looks == hopeless {
				return err
			}
			p.Log.Warn("not known whether the job is done", "error", err)
		}
		if p.Idle > 0 && time.Since(busy) > p.Idle {
			return fmt.Errorf("no chunk for %v, and the job is not done", p.Idle)
		}
	}
	if done, err := p.Out.Has(ctx, job.DoneName); done && err == nil {
		return nil
	}
	return worker.ErrStopped
}

// next waits for a chunk. It returns an error too if no chunk came in that time.
func (p *Puller) next(ctx context.Context, js jetstream.JetStream) (msg jetstream.Msg, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if p.consumer == nil {
		if p.consumer, err = js.Consumer(ctx, p.Stream, p.Job.Work()); err == nil {
			p.beat = max(p.consumer.CachedInfo().Config.AckWait/4, 10*time.Millisecond)
		}
	}
	if err == nil {
		if msg, err = p.consumer.Next(jetstream.FetchContext(ctx)); err == nil {
			return msg, nil
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrTimeout) && !errors.Is(err, jetstream.ErrNoMessages) {
		p.consumer = nil // it may be another one next time
		p.Log.Debug("no chunk", "error", err)
		<-ctx.Done() // not again at once
	}
	return nil, err
}

// handle does the chunk of a message.
func (p *Puller) handle(ctx, soft context.Context, msg jetstream.Msg) error {
	var t task
	about, err := msg.Metadata()
	if err == nil {
		err = json.Unmarshal(msg.Data(), &t)
	}
	if err != nil || t.Job != p.Job.ID || t.Chunk < 0 || t.Chunk >= p.Job.Chunks() {
		p.Log.Warn("a message that is not a chunk of this job", "error", err)
		_ = msg.Term() // if it is lost, the message comes again
		return nil
	}
	if p.Count != nil {
		p.Count(about.NumDelivered > 1)
	}
	log := p.Log.With("chunk", t.Chunk, "delivery", about.NumDelivered)
	log.Debug("begins")
	stop := p.heartbeat(msg)
	err = p.Chunk(ctx, soft, t.Chunk, t.Careful || about.NumDelivered >= suspect)
	stop()
	switch {
	case err == nil:
		log.Debug("done")
		p.failures = 0
		p.acknowledge(ctx, msg, log)
		return nil
	case errors.Is(err, worker.ErrStopped), ctx.Err() != nil:
		log.Info("handed back")
		_ = msg.Nak() // if it is lost, AckWait does the same
		return err
	}
	log.Warn("failed", "error", err)
	_ = msg.NakWithDelay(pause(about.NumDelivered))
	if errors.Is(err, files.ErrFull) { // other chunks would not fit either
		return err
	}
	if p.failures++; p.failures == hopeless {
		return fmt.Errorf("%d chunks in a row failed: %w", hopeless, err)
	}
	return nil
}

// pause returns the time before a chunk is delivered again that failed n times.
func pause(n uint64) time.Duration { return time.Second << min(2*n, 8) }

// heartbeat tells the server that a message is being worked on, until the result
// is called.
func (p *Puller) heartbeat(msg jetstream.Msg) func() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		beat := time.NewTicker(p.beat)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
				_ = msg.InProgress() // or the next one
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// acknowledge removes a message from the queue. If that fails, the chunk is
// delivered again, and found to be done.
func (p *Puller) acknowledge(ctx context.Context, msg jetstream.Msg, log *slog.Logger) {
	for range 3 {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := msg.DoubleAck(ctx)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			return
		}
		log.Debug("not acknowledged yet", "error", err)
	}
	log.Warn("not acknowledged: it will be delivered again, and found to be done")
}
