package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
)

func workCmd(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "work [DESTINATION] (--queue URL | --shard SHARD)",
		Short: "Do chunks of a job, as one of any number of workers",
		Long: `Work does chunks of a job until the job is done. With --queue it is handed one
after the other by "serve", or by the NATS cluster that "serve --queue" feeds;
DESTINATION is then told by the queue, unless this machine has another name for
it. It must be given where a folder of this machine is part of the job and the
queue is elsewhere: a queue has no say about folders. A worker that starts when
the job is done finds no queue: with DESTINATION it reports that and ends, and
without it waits for --idle.

With --shard it does its share and asks nobody: i/n is every n-th chunk from the
i-th on, counted from 0, and auto takes both numbers from the environment of an
array of jobs: of Kubernetes (JOB_COMPLETION_INDEX, and COCLICO_SHARDS for the
number), Slurm, AWS Batch, Cloud Run and Google Batch.

A picture that cannot be read, makes the program panic, or takes longer than
--limit has a row with its error. On SIGTERM or Ctrl-C a worker keeps the rows
that are done, finishes the pictures that it has begun, within --grace, keeps
those too, and hands its chunk back. Status 3 means that this worker cannot do
the job, having another model or version: starting it again is no use. A row with
an error is a result: the log reports it, and the status is 0.`,
		Example: `  coclico-fleet work --queue nats://head:4222 --token-file token
  coclico-fleet work s3://out/archive --shard auto
  coclico-fleet work out/ --shard 0/8`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("work takes one DESTINATION, not %d", len(args))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	c := addConnectFlags(flags)
	shardOf := flags.String("shard", "", "`share` of the chunks: i/n, or auto")
	idle := options.Duration(flags, "idle", 0, time.Millisecond, maxTime, "end after so long without a queue or a chunk (default never)")
	w, o := addWorkerFlags(flags), addObserveFlags(flags)
	parent := flags.Bool("with-parent", false, "end in good order when standard input ends")
	_ = flags.MarkHidden("with-parent")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if err := checkWork(flags, o); err != nil {
			return err
		}
		destination := ""
		if len(args) > 0 {
			destination = args[0]
		}
		soft := cmd.Context()
		if *parent {
			soft = p.withParent(soft)
			defer func() { // it is the parent that says how the run ended
				if soft.Err() != nil && errors.Is(err, context.Canceled) {
					err = nil
				}
			}()
		}
		// What a worker has begun outlives the signal by the grace.
		ctx, cancel := context.WithCancel(context.WithoutCancel(soft))
		defer cancel()
		context.AfterFunc(soft, func() { time.AfterFunc(*w.grace, cancel) })
		obs, err := p.observe(ctx, o, nil)
		if err != nil {
			return err
		}
		context.AfterFunc(soft, func() { obs.ready(errEnding) })
		if *shardOf != "" {
			if destination == "" {
				return options.Usagef("--shard needs a DESTINATION")
			}
			s, err := parseShard(*shardOf)
			if err != nil {
				return err
			}
			return p.withJob(ctx, destination, func(ctx context.Context, j *job.Job, out *bucket.Bucket) error {
				return p.workShard(ctx, soft, j, out, s, w, obs)
			})
		}
		return p.workQueue(ctx, soft, destination, c, *idle, w, obs)
	}
	return cmd
}

// checkWork refuses flags of work that contradict each other or change nothing.
func checkWork(flags *pflag.FlagSet, o *observeFlags) error {
	if flags.Changed("queue") == flags.Changed("shard") {
		return options.Usagef("work needs either --queue or --shard")
	}
	var err error
	switch {
	case flags.Changed("shard"):
		err = options.NoEffect(flags, "--shard asks no queue", "token-file", "creds", "ca", "stream", "no-tls", "idle")
	case !flags.Changed("token-file"):
		err = options.NoEffect(flags, "without --token-file, no token is sent", "no-tls")
	}
	return cmp.Or(err, o.check())
}

// workerFlags are the flags of a worker.
type workerFlags struct {
	model        *string
	jobs         *int
	limit, grace *time.Duration
}

// maxTime is the longest time that a flag may ask for, a year.
const maxTime = 365 * 24 * time.Hour

func addWorkerFlags(flags *pflag.FlagSet) *workerFlags {
	return &workerFlags{
		model: flags.String("model", "", "`model` of this machine, if it has another name here than the job's"),
		jobs:  options.Whole(flags, "jobs", 0, 1, 1024, "pictures at a time (default 8, or 1 to decode or with --candidates); the network has all processors in any case"),
		limit: options.Duration(flags, "limit", 0, time.Second, maxTime, "longest time for one picture (default 10m, or 2h to decode or with --candidates)"),
		grace: options.Duration(flags, "grace", 50*time.Second, 0, maxTime, "time to finish the pictures that are begun when the worker is told to stop"),
	}
}

// pace returns how many pictures are done at a time, and how long each may take.
func (f *workerFlags) pace(e *options.Encoding) (jobs int, limit time.Duration) {
	jobs, limit = 8, 10*time.Minute
	if paints(e) {
		jobs, limit = 1, 2*time.Hour
	}
	return cmp.Or(*f.jobs, jobs), cmp.Or(*f.limit, limit)
}

// beforePicture is called before each picture, if not nil. Tests set it.
var beforePicture func(name string)

// newWorker returns a worker for a job, or a refusedError. The caller must call
// the second result at the end.
func (p *program) newWorker(ctx context.Context, j *job.Job, out *bucket.Bucket, f *workerFlags, obs *observer) (*worker.Worker, func(), error) {
	if j.Software != version() {
		return nil, nil, refusedError{fmt.Errorf("this is coclico-fleet %s, but the job was planned by %s, which its workers must be", version(), j.Software)}
	}
	if err := out.Room(); errors.Is(err, files.ErrFull) {
		return nil, nil, ended(err)
	}
	m, err := modelFor(j, *f.model)
	if err != nil {
		return nil, nil, refusedError{err}
	}
	encoding, decoding, err := parseParams(j)
	if err != nil {
		m.codec.Close()
		return nil, nil, err
	}
	source, err := bucket.Open(ctx, j.Source)
	if err != nil {
		m.codec.Close()
		return nil, nil, err
	}
	w := &worker.Worker{Job: j, Out: out, Log: obs.log, Origin: origin(j, m), Before: beforePicture, Count: obs.picture}
	w.Jobs, w.Limit = f.pace(encoding)
	if j.Decode {
		w.Maker = &worker.Painter{Source: worker.Source{Bucket: source}, Out: out, Codec: m.codec, Decoding: decoding, Software: "coclico " + version(), Model: m.name + " " + m.fingerprint}
	} else {
		if w.Maker, err = worker.NewEncoder(source, m.codec, encoding); err != nil {
			source.Close()
			m.codec.Close()
			return nil, nil, err
		}
	}
	return w, func() {
		if w.Stuck() == 0 { // else they are in use
			source.Close()
			m.codec.Close()
		}
	}, nil
}

// workQueue does the chunks that a queue hands out.
func (p *program) workQueue(ctx, soft context.Context, destination string, c *connectFlags, idle time.Duration, f *workerFlags, obs *observer) error {
	d, err := c.dial(obs)
	if err != nil {
		return err
	}
	nc, id, told, err := p.findQueue(soft, d, string(c.stream), destination, idle, obs)
	if errors.Is(err, errDone) {
		return p.sayDone()
	}
	if err != nil {
		return err
	}
	defer nc.Close()
	return p.withJob(ctx, cmp.Or(destination, told), func(ctx context.Context, j *job.Job, out *bucket.Bucket) error {
		if j.ID != id {
			return refusedError{fmt.Errorf("the queue is of job %s, but %s has job %s", id, out.URL(), j.ID)}
		}
		if destination == "" && !queue.IsLocal(*c.url) {
			if err := checkTold(told, j.Source); err != nil {
				return refusedError{err}
			}
		}
		w, end, err := p.newWorker(ctx, j, out, f, obs)
		if err != nil {
			return err
		}
		defer end()
		obs.ready(nil)
		pull := &queue.Puller{Stream: string(c.stream), Job: j, Out: out, Idle: idle, Log: obs.log, Count: obs.delivery, Chunk: chunk(w)}
		return ended(pull.Run(ctx, soft, nc))
	})
}

// findQueue connects to a queue and returns its job's ID and destination. It
// waits for a queue that does not exist yet, but not after the job of a
// destination, if that is given, is done: the error is then errDone.
func (p *program) findQueue(ctx context.Context, d *queue.Dial, stream, destination string, idle time.Duration, obs *observer) (nc *nats.Conn, id, told string, err error) {
	waiting, end := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer end(nil)
	if idle > 0 {
		defer time.AfterFunc(idle, func() { end(fmt.Errorf("no queue for %v", idle)) }).Stop()
	}
	if destination != "" {
		group.Go(func() { p.endWhenDone(waiting, destination, end, obs) })
	}
	if nc, err = d.Connect(waiting); err == nil {
		var js jetstream.JetStream
		if js, err = jetstream.New(nc); err == nil {
			id, told, err = queue.Find(waiting, js, stream, obs.log)
		}
	}
	if err == nil {
		return nc, id, told, nil
	}
	if nc != nil {
		nc.Close()
	}
	if waiting.Err() != nil && ctx.Err() == nil {
		err = context.Cause(waiting)
	}
	return nil, "", "", err
}

// errDone ends the wait for the queue of a job that is done.
var errDone = errors.New("the job is done")

// sayDone reports that there is nothing to do.
func (p *program) sayDone() error {
	fmt.Fprintln(p.screen.Out, errDone)
	return nil
}

// lookEvery is how often a worker without a queue looks whether the job is done.
const lookEvery = 5 * time.Second

// endWhenDone calls end with errDone when the job of a destination is done, and
// returns then or when ctx ends. It lists the parts at first, as status does, and
// later only when the job is marked as done.
func (p *program) endWhenDone(ctx context.Context, destination string, end context.CancelCauseFunc, obs *observer) {
	for first := true; ; first = false {
		err := p.withJob(ctx, destination, func(ctx context.Context, j *job.Job, out *bucket.Bucket) error {
			if !first {
				if marked, err := out.Has(ctx, job.DoneName); !marked || err != nil {
					return err
				}
			}
			missing, err := job.Missing(ctx, j, out)
			if err == nil && len(missing) == 0 {
				end(errDone)
			}
			return err
		})
		if err != nil { // such as a job that is not planned yet
			obs.log.Debug("not known whether the job is done", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

// checkTold returns an error for a job that a queue elsewhere has told of and
// that reads or writes a folder of this machine: the queue could have any folder
// encoded into a bucket of its own.
func checkTold(buckets ...string) error {
	for _, b := range buckets {
		if bucket.IsFolder(b) {
			return fmt.Errorf("the job that the queue tells of has the folder %s: give the DESTINATION to allow that", b)
		}
	}
	return nil
}

// chunk returns what does a chunk. A worker with pictures that do not end ends
// after the chunk, and is started again by whoever has started it.
func chunk(w *worker.Worker) func(ctx, soft context.Context, chunk int, careful bool) error {
	return func(ctx, soft context.Context, chunk int, careful bool) error {
		if w.Stuck() > 0 {
			return fmt.Errorf("%w: %w", worker.ErrStopped, errStuck)
		}
		return w.Chunk(ctx, soft, chunk, careful)
	}
}

var errStuck = errors.New("a picture does not end: the worker must be started again")

// ended turns the error of a worker that was stopped into that of its signal, and
// that of a full destination into a fullError.
func ended(err error) error {
	switch {
	case errors.Is(err, errStuck):
		return errStuck
	case errors.Is(err, worker.ErrStopped):
		return stoppedError("stopped; what was not done is for another worker")
	case errors.Is(err, files.ErrFull):
		return fullError{fmt.Errorf("%w: make room in the destination, and the same command does the rest", err)}
	}
	return err
}

// withParent returns a context that ends when standard input does, as it does
// when the parent process ends, however it does.
func (p *program) withParent(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, p.stdin)
		cancel(errParent)
	}()
	return ctx
}

var errParent = errors.New("the parent has ended")
