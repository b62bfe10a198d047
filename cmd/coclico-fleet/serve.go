package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/guard"
	"github.com/coclico/coclico/cmd/internal/options"
)

func serveCmd(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve DESTINATION",
		Short: "Hand out the chunks of a job to workers on other machines",
		Long: `Serve hands out the chunks of a job until the job is done, by a NATS server in
this process, or with --queue by the user's own. Beyond this machine it listens
with a token and TLS only, unless --no-auth and --no-tls waive them. The token
is in a file that only its owner reads: "openssl rand -hex 32 > token".

The queue is kept in a folder of this machine, and synced with each message. It
may be lost: what has no result is handed out again.

Status 0 means that the job is done, even if pictures have errors: their number
is reported, and "merge" fails because of them.`,
		Example: `  coclico-fleet serve s3://out/archive --listen 0.0.0.0:4222 --token-file token --tls-cert cert.pem --tls-key key.pem
  coclico-fleet serve s3://out/archive --queue tls://nats.example.com --creds fleet.creds --replicas 3`,
		Args: args("DESTINATION"),
	}
	flags := cmd.Flags()
	listen := flags.String("listen", "127.0.0.1:4222", "`address` to listen at")
	g, q, c, o := guard.AddFlags(flags), addQueueFlags(flags), addServerFlags(flags), addObserveFlags(flags)
	replicas := options.Whole(flags, "replicas", 1, 1, 5, "--queue: copies of the stream in the cluster")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkServe(flags, o); err != nil {
			return err
		}
		policy, err := g.Policy()
		if errors.As(err, new(guard.FlagError)) {
			return options.UsageError{Err: err}
		}
		if err != nil {
			return err
		}
		s := &serving{program: p, queueFlags: q, policy: policy, replicas: *replicas, stream: string(c.stream)}
		if *c.url != "" {
			return s.feedOther(cmd.Context(), args[0], c, o)
		}
		return s.feedOwn(cmd.Context(), args[0], *listen, o)
	}
	return cmd
}

// checkServe refuses flags of serve that change nothing.
func checkServe(flags *pflag.FlagSet, o *observeFlags) error {
	var err error
	if flags.Changed("queue") {
		err = options.NoEffect(flags, "--queue is another server", "listen", "queue-folder", "tls-cert", "tls-key", "no-auth", "no-tls")
	} else {
		err = options.NoEffect(flags, "it is for --queue", "creds", "ca", "replicas")
	}
	return cmp.Or(err, o.check())
}

// queueFlags are the flags of a queue.
type queueFlags struct {
	folder  *string
	ackWait *time.Duration
}

func addQueueFlags(flags *pflag.FlagSet) *queueFlags {
	return &queueFlags{
		folder:  flags.String("queue-folder", "", "`folder` of the queue (default one of the job in the user's cache)"),
		ackWait: options.Duration(flags, "ack-wait", queue.DefaultAckWait, time.Second, 24*time.Hour, "how long a worker may be silent before its chunk goes to another"),
	}
}

// path returns the folder of a job's queue.
func (q *queueFlags) path(j *job.Job) (string, error) {
	if *q.folder != "" {
		return *q.folder, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w; --queue-folder names a place for the queue", err)
	}
	return filepath.Join(cache, "coclico", "fleet", j.ID), nil
}

// A serving hands out the chunks of a job.
type serving struct {
	*program
	*queueFlags
	policy   guard.Policy
	replicas int
	stream   string

	out      *bucket.Bucket
	job      *job.Job
	obs      *observer
	progress func(queue.State) // nil for none
	opened   func()            // queue.Feeder's; nil for none
	room     func() error      // queue.Feeder's; nil for none
	done     bool
}

// open opens the bucket of the results, and reads the job.
func (s *serving) open(ctx context.Context, destination string) (err error) {
	if s.out, err = bucket.Open(ctx, destination); err != nil {
		return err
	}
	if s.job, err = job.Read(ctx, s.out); err != nil {
		s.out.Close()
	}
	return err
}

// start starts the job's server.
func (s *serving) start(ctx context.Context, address string) (*queue.Server, error) {
	at, err := guard.Resolve(ctx, address, s.policy)
	if err != nil {
		return nil, err
	}
	return s.startAt(at)
}

func (s *serving) startAt(at netip.AddrPort) (*queue.Server, error) {
	folder, err := s.path(s.job)
	if err != nil {
		return nil, err
	}
	server, err := queue.Start(&queue.ServerOptions{Folder: folder, Address: at, Policy: s.policy, MaxStore: maxStore, Log: s.obs.log})
	if errors.Is(err, queue.ErrBusy) {
		return nil, fmt.Errorf("%w: the job is at work on this machine already; coclico-fleet status %s shows how far it is", err, s.out.URL())
	}
	if err != nil {
		return nil, err
	}
	s.room = server.Room
	return server, nil
}

// close ends a server. When the job is done, nobody needs its queue.
func (s *serving) close(server *queue.Server) {
	server.Close()
	if folder, err := s.path(s.job); s.done && err == nil && *s.folder == "" {
		os.RemoveAll(folder)
	}
}

// maxStore is what a queue may take of the disk: a job of a hundred million
// pictures takes some tens of megabytes. Tests set it.
var maxStore int64 = 1 << 30

// feedOwn feeds a server in this process.
func (s *serving) feedOwn(ctx context.Context, destination, address string, o *observeFlags) error {
	if err := s.open(ctx, destination); err != nil {
		return err
	}
	defer s.out.Close()
	// The admin listener needs the server's queue, and the server the log.
	depth := &later{}
	obs, err := s.observe(ctx, o, depth)
	if err != nil {
		return err
	}
	s.obs = obs
	server, err := s.start(ctx, address)
	if err != nil {
		return err
	}
	defer s.close(server)
	depth.set(server.Depth())
	obs.log.Info("the queue listens", "url", server.URL(), "stream", s.stream)
	nc, err := server.Connect(ctx, s.policy.Token)
	if err != nil {
		return err
	}
	defer nc.Close()
	return s.feed(ctx, nc)
}

// feedOther feeds a server of the user's.
func (s *serving) feedOther(ctx context.Context, destination string, c *connectFlags, o *observeFlags) error {
	if err := s.open(ctx, destination); err != nil {
		return err
	}
	defer s.out.Close()
	obs, err := s.observe(ctx, o, nil)
	if err != nil {
		return err
	}
	s.obs = obs
	d, err := c.dial(obs)
	if err != nil {
		return err
	}
	d.Token = s.policy.Token
	nc, err := d.Connect(ctx)
	if err != nil {
		return err
	}
	defer nc.Close()
	return s.feed(ctx, nc)
}

// feed publishes chunks until all are done.
func (s *serving) feed(ctx context.Context, nc *nats.Conn) error {
	bar := s.screen.Bar()
	defer bar.Close()
	last := queue.State{}
	f := &queue.Feeder{
		Stream: s.stream, Replicas: s.replicas, AckWait: *s.ackWait, Job: s.job, Out: s.out, Log: s.obs.log, Opened: s.opened, Room: s.room,
		Progress: func(state queue.State) {
			last = state
			s.obs.state(state)
			if s.progress != nil {
				s.progress(state)
			}
			bar.Line(fmt.Sprintf("%d of %d chunks done, %d at work", state.Done, state.Chunks, state.Working))
		},
	}
	s.obs.ready(nil)
	err := f.Run(ctx, nc)
	bar.Close()
	s.obs.ready(errEnding)
	if ctx.Err() != nil {
		return s.stopped(last.Done)
	}
	if errors.Is(err, queue.ErrFull) {
		return fmt.Errorf("%w; free some of it, or give --queue-folder another one, and run this again: nothing is lost", err)
	}
	if errors.Is(err, queue.ErrMisconfigured) {
		return fmt.Errorf("%w; another --stream, --replicas or --ack-wait, or other limits of the account, may help", err)
	}
	if err != nil {
		return err
	}
	s.done = true
	return s.report(ctx)
}

// stopped returns the error of a command that a signal ended.
func (s *serving) stopped(done int) error {
	return stoppedError(fmt.Sprintf("stopped with %d of %d chunks done; the same command resumes", done, s.job.Chunks()))
}

// report says how many pictures of a job that is done have errors. Neither these
// nor a damaged part are a failure of this command: whoever starts it again, as
// orchestrators do after a failure, would find the job done. Merge reports one.
func (s *serving) report(ctx context.Context) error {
	failed, err := worker.CountFailed(ctx, s.job, s.out)
	switch {
	case ctx.Err() != nil:
		return s.stopped(s.job.Chunks())
	case err != nil:
		s.screen.Complain(fmt.Sprintf("the job is done, but its errors could not be counted: %v", err))
		return nil
	}
	fmt.Fprintf(s.screen.Out, "%d pictures done; coclico-fleet merge makes the archive\n", s.job.Pictures-int64(failed))
	if failed > 0 {
		s.screen.Complain(fmt.Sprintf("%d pictures with errors: coclico-fleet status lists them, and retry has them done again", failed))
	}
	return nil
}

// A later is a handler that is not there at first.
type later struct{ handler atomic.Pointer[http.Handler] }

func (l *later) set(h http.Handler) { l.handler.Store(&h) }

func (l *later) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := l.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	http.Error(w, "starting", http.StatusServiceUnavailable)
}
