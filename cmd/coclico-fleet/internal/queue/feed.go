package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/files"
)

// A Feeder publishes the chunks of a job that are not done, until all are.
type Feeder struct {
	Stream   string
	Replicas int // of a cluster's stream
	AckWait  time.Duration
	Job      *job.Job
	Out      *bucket.Bucket
	Log      *slog.Logger
	Progress func(State)  // called now and then
	Opened   func()       // called in each round when workers can find the stream; may be nil
	Room     func() error // asked after an error, see [Server.Room]; nil for a queue elsewhere

	js     jetstream.JetStream
	done   int // chunks, when the round began
	rounds int
	nonce  int64
	lost   []bool // chunks that an earlier round has published
}

// A State is how far a job is.
type State struct {
	Chunks, Done int
	Waiting      int // published, and with no worker
	Working      int // with a worker
	Redelivered  int
}

const (
	maxDeliver = 5
	maxWorking = 100_000 // chunks that workers may have at a time
	// A queue is filled up to full, and again when it is down to low: every
	// publish waits for the disk.
	full, low  = 100_000, 50_000
	batch      = 1000 // chunks that are published before looking at the queue
	duplicates = 10 * time.Minute
	interval   = 500 * time.Millisecond
)

// DefaultAckWait is how long a worker may be silent before its chunk goes to
// another one.
const DefaultAckWait = time.Minute

// Run publishes chunks until all are done. It returns only then, or when ctx
// ends, or after an error that it cannot help. A round ends when the queue is
// empty; what has no part then was lost, and is published again.
func (f *Feeder) Run(ctx context.Context, nc *nats.Conn) (err error) {
	// On a loaded disk, whoever asks waits for those who publish.
	f.js, err = jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(256), jetstream.WithDefaultTimeout(time.Minute))
	if err != nil {
		return err
	}
	f.nonce = time.Now().UnixNano()
	f.lost = make([]bool, f.Job.Chunks())
	for failures := 0; ; f.rounds++ {
		missing, err := job.Missing(ctx, f.Job, f.Out)
		if done := f.Job.Chunks() - len(missing); err == nil && done > f.done {
			f.done, failures = done, 0 // a queue with room for a few does a few at a time
		}
		switch {
		case err != nil:
		case len(missing) > 0:
			err = f.round(ctx, missing)
		default:
			if err = f.end(ctx); err == nil {
				return nil
			}
		}
		switch {
		case err == nil:
			failures = 0
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errOther), errors.Is(err, fs.ErrPermission):
			return err
		case isMisconfigured(err):
			return fmt.Errorf("stream %s: %w: %w", f.Stream, ErrMisconfigured, err)
		}
		err = f.explain(err)
		if failures++; failures == maxFailures || errors.Is(err, ErrFull) && failures >= maxFull {
			return final(err)
		}
		f.Log.Warn("the queue or the bucket failed; what is not done is published again", "error", err)
		if err := sleep(ctx, min(time.Duration(failures)*interval, 5*time.Second)); err != nil {
			return err
		}
	}
}

// maxFailures is how often in a row a round may fail, some minutes, and maxFull
// how often because of a full disk.
const (
	maxFailures = 60
	maxFull     = 3
)

// ErrMisconfigured means that the queue cannot do what the job's stream needs.
var ErrMisconfigured = errors.New("the queue refuses it")

// isMisconfigured reports whether the queue would refuse the same each time.
func isMisconfigured(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return errors.Is(err, jetstream.ErrInvalidStreamName)
	}
	return slices.Contains(lasting, api.ErrorCode) || api.Code == http.StatusBadRequest && !slices.Contains(passing, api.ErrorCode)
}

// JetStream's code 400, bad request, lasts, and others pass. These are the
// exceptions.
var (
	lasting = []jetstream.ErrorCode{
		10052, // invalid configuration of a stream
		10074, // more than one replica, but no cluster
	}
	passing = []jetstream.ErrorCode{
		10002, // the account is full, until workers empty the queue
		10005, // too few members of the cluster are there
		10058, // another feeder has just created the stream
		10124, // the stream is being moved
		10202, // the cluster gets or loses a member
		10226, // the stream is being changed
	}
)

// ErrFull means that the disk of the queue is full.
var ErrFull = errors.New("the disk of the queue is full")

// explain returns an [ErrFull] for an error because of a full disk. NATS has a code
// for that where messages do not fit, but not where it cannot create a consumer.
func (f *Feeder) explain(err error) error {
	var api *jetstream.APIError
	full := errors.As(err, &api) && (api.ErrorCode == codeStorage || api.ErrorCode == codeNoSpace)
	if full || f.Room != nil && errors.Is(f.Room(), files.ErrFull) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Codes of JetStream for a full disk.
const (
	codeStorage = 10047
	codeNoSpace = 10023
)

// final returns the error of a feeder that gives up.
func final(err error) error {
	if errors.Is(err, ErrFull) {
		return err
	}
	return fmt.Errorf("the queue or the bucket: %w; nothing is lost: run this again", err)
}

// end marks the job as done and removes the stream, so that workers end.
func (f *Feeder) end(ctx context.Context) error {
	if err := job.SetDone(ctx, f.Out); err != nil {
		return err
	}
	f.report(State{Done: f.done})
	if err := f.js.DeleteStream(ctx, f.Stream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		f.Log.Warn("the stream was not removed", "error", err)
	}
	return nil
}

// round publishes chunks and waits until the queue is empty. A queue that is not
// empty is waited for first: it is of an earlier process, or of a round that
// failed.
func (f *Feeder) round(ctx context.Context, missing []int) error {
	// Before workers find the stream, so that none ends because of an old mark.
	if err := f.Out.Remove(ctx, job.DoneName); err != nil {
		return err
	}
	stream, consumer, err := f.prepare(ctx)
	if err != nil {
		return err
	}
	if f.Opened != nil {
		f.Opened()
	}
	later := 0 // chunks that neither the queue has nor this round publishes
	info := consumer.CachedInfo()
	if queued := int(info.NumPending) + info.NumAckPending; queued > 0 {
		f.Log.Info("the queue resumes", "chunks", queued)
		later = max(0, len(missing)-queued)
		missing = nil
	} else if err := stream.Purge(ctx); err != nil { // what was delivered too often
		return err
	}
	published := missing
	for {
		info, err := consumer.Info(ctx)
		if err != nil {
			return err
		}
		waiting := int(info.NumPending)
		if len(missing) > 0 && waiting < low {
			n := min(len(missing), batch, full-waiting)
			if err := f.publish(ctx, missing[:n]); err != nil {
				return err
			}
			missing = missing[n:]
			if waiting+n < low {
				continue
			}
		}
		left := len(missing) + waiting + info.NumAckPending
		f.report(State{Done: f.Job.Chunks() - later - left, Waiting: waiting, Working: info.NumAckPending, Redelivered: info.NumRedelivered})
		if left == 0 {
			for _, chunk := range published {
				f.lost[chunk] = true // if it has no part
			}
			return nil
		}
		if err := sleep(ctx, interval); err != nil {
			return err
		}
	}
}

func (f *Feeder) report(s State) {
	s.Chunks = f.Job.Chunks()
	if s.Done = max(s.Done, f.done); f.Progress != nil {
		f.Progress(s)
	}
}

var errOther = errors.New("is another job's")

// prepare creates the stream and the consumer, or finds them.
func (f *Feeder) prepare(ctx context.Context) (jetstream.Stream, jetstream.Consumer, error) {
	about := map[string]string{keyJob: f.Job.ID, keyDestination: f.Out.URL()}
	switch old, err := f.js.Stream(ctx, f.Stream); {
	case errors.Is(err, jetstream.ErrStreamNotFound):
	case err != nil: // its owner is unknown
		return nil, nil, err
	case old.CachedInfo().Config.Metadata[keyJob] != f.Job.ID:
		return nil, nil, fmt.Errorf("the stream %s %w, of %s: another name is needed for this job", f.Stream, errOther, old.CachedInfo().Config.Metadata[keyDestination])
	}
	stream, err := f.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: f.Stream, Subjects: []string{f.Stream + ".chunks"}, Retention: jetstream.WorkQueuePolicy,
		Storage: jetstream.FileStorage, Replicas: max(1, f.Replicas), Duplicates: duplicates, Metadata: about,
	})
	if err != nil {
		return nil, nil, err
	}
	consumer, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: f.Job.Work(), AckPolicy: jetstream.AckExplicitPolicy, AckWait: f.AckWait, MaxDeliver: maxDeliver, MaxAckPending: maxWorking,
	})
	return stream, consumer, err
}

// publish publishes chunks.
func (f *Feeder) publish(ctx context.Context, chunks []int) error {
	var acks []jetstream.PubAckFuture
	for _, chunk := range chunks {
		data, err := json.Marshal(task{f.Job.ID, chunk, f.lost[chunk]})
		if err != nil {
			return err
		}
		id := fmt.Sprintf("%s-%d-%d-%d", f.Job.ID, f.nonce, f.rounds, chunk)
		ack, err := f.js.PublishMsgAsync(&nats.Msg{Subject: f.Stream + ".chunks", Data: data}, jetstream.WithMsgID(id))
		if err != nil {
			return err
		}
		acks = append(acks, ack)
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
