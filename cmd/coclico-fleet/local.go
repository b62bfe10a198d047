package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/internal/guard"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/process"
)

func runCmd(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run DESTINATION",
		Short: "Do a job on this machine",
		Long: `Run does a job with the processors of this machine: it hands out the chunks as
"serve" does, and starts workers of its own, which it starts again should they
end. Ctrl-C stops it in good order, and the same command resumes. Status 0 means
that the job is done, even if pictures have errors: their number is reported,
and "merge" fails because of them.`,
		Example: `  coclico-fleet plan photos/ out/ && coclico-fleet run out/ && coclico-fleet merge out/`,
		Args:    args("DESTINATION"),
	}
	flags := cmd.Flags()
	workers := options.Whole(flags, "workers", 1, 1, 1024, "processes; more than one shares the processors among them")
	q, w, o := addQueueFlags(flags), addWorkerFlags(flags), addObserveFlags(flags)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.check(); err != nil {
			return err
		}
		s := &serving{program: p, queueFlags: q, replicas: 1, stream: queue.DefaultStream}
		return s.local(cmd.Context(), args[0], *workers, w, o)
	}
	return cmd
}

// local serves a job to workers of this machine.
func (s *serving) local(ctx context.Context, destination string, workers int, w *workerFlags, o *observeFlags) error {
	if err := s.open(ctx, destination); err != nil {
		return err
	}
	defer s.out.Close()
	depth := &later{}
	obs, err := s.observe(ctx, o, depth)
	if err != nil {
		return err
	}
	s.obs = obs
	folder, err := s.path(s.job)
	if err != nil {
		return err
	}
	token, err := newToken(folder)
	if err != nil {
		return err
	}
	defer os.Remove(token)
	if s.policy.Token, err = guard.ReadToken(token); err != nil {
		return err
	}
	server, err := s.startAt(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0))
	if err != nil {
		return err
	}
	defer s.close(server) // after the workers have handed back what they had
	depth.set(server.Depth())
	nc, err := server.Connect(ctx, s.policy.Token)
	if err != nil {
		return err
	}
	defer nc.Close()
	args := []string{
		"work", "--queue", server.URL(), "--token-file", token, "--with-parent", "--log-level", strings.ToLower(o.level.Level().String()),
		"--limit", w.limit.String(), "--grace", w.grace.String(),
	}
	if *w.model != "" {
		args = append(args, "--model", *w.model)
	}
	if *w.jobs > 0 {
		args = append(args, "--jobs", strconv.Itoa(*w.jobs))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	crew := &crew{args: args, workers: workers, grace: *w.grace, out: s.stderr, fail: cancel, obs: obs}
	s.progress = crew.progress
	// A worker that found no stream would warn of a wrong --stream, which run does
	// not have.
	s.opened = sync.OnceFunc(func() { crew.start(ctx) })
	err = s.feed(ctx, nc)
	cancel(nil)
	crew.wait()
	if reason := crew.reason.Load(); reason != nil {
		return *reason
	}
	return err
}

// newToken writes a token for this run's workers to a file.
func newToken(folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	// A name of its own: another run may be at work, and keeps its token.
	name := filepath.Join(folder, fmt.Sprintf("token-%d", os.Getpid()))
	os.Remove(name)
	return name, os.WriteFile(name, []byte(rand.Text()+rand.Text()+"\n"), 0o600)
}

// A crew is the workers of this machine: processes, so that a picture that ends
// one ends no other.
type crew struct {
	args    []string
	workers int
	grace   time.Duration
	out     io.Writer
	fail    context.CancelCauseFunc
	obs     *observer

	group  sync.WaitGroup
	done   atomic.Int64 // chunks
	reason atomic.Pointer[error]
}

// progress learns how many chunks are done.
func (c *crew) progress(s queue.State) { c.done.Store(int64(s.Done)) }

// maxEnds is how often a worker may end while no chunk gets done.
const maxEnds = 30

func (c *crew) start(ctx context.Context) {
	for range c.workers {
		c.group.Go(func() {
			if err := c.keep(ctx); err != nil {
				c.reason.CompareAndSwap(nil, &err)
				c.fail(err)
			}
		})
	}
}

func (c *crew) wait() { c.group.Wait() }

// keep runs a worker, and again when it ends, until ctx does.
func (c *crew) keep(ctx context.Context) error {
	ends, seen := 0, int64(-1)
	for ctx.Err() == nil {
		err := c.once(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			switch exit.ExitCode() {
			case statusRefused, process.Usage:
				return errors.New("a worker cannot do the job, for the reason above")
			case statusFull:
				return errors.New("the destination is full: make room, and the same command resumes")
			}
		}
		if now := c.done.Load(); now != seen {
			ends, seen = 0, now
		}
		if ends++; ends == maxEnds {
			return fmt.Errorf("workers end without getting anything done: %w", err)
		}
		c.obs.log.Warn("a worker ended; it is started again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Duration(ends)*100*time.Millisecond, 5*time.Second)):
		}
	}
	return nil
}

// once runs a worker until it ends. When ctx ends, the worker's standard input
// does, and the worker then too.
func (c *crew) once(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, c.args...)
	cmd.Stderr = c.out
	if c.workers > 1 && os.Getenv("GOMAXPROCS") == "" {
		cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.GOMAXPROCS(0)/c.workers)))
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = in.Close
	cmd.WaitDelay = cmp.Or(c.grace, time.Second) + 10*time.Second
	return cmd.Run()
}
