package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec/archive"
)

// TestRunFull has a worker end because the destination is full: it is not started
// again.
func TestRunFull(t *testing.T) {
	t.Parallel()
	out := plan(t, 20, 1)
	c := start(t, []string{pictureVar + "=*=full"}, "run", out, "--ack-wait", "1s", "--log-level", "debug")
	if status := c.wait(); status != process.Failed || !strings.Contains(c.output(), "the destination is full: make room") || strings.Contains(c.output(), "started again") {
		t.Errorf("status %d: %s", status, c.output())
	}
	call(t, process.OK, "run", out, "--ack-wait", "1s") // of the chunk that the worker did not hand back
	check(t, out, 20, nil)
}

// A fullMaker makes rows of pictures that do not fit, and counts them.
type fullMaker struct{ made int }

func (m *fullMaker) Make(context.Context, bucket.Object) (*archive.Row, error) {
	m.made++
	return nil, fmt.Errorf("pictures/a.png: %w", files.ErrFull)
}

// Reads implements [worker.Maker].
func (m *fullMaker) Reads(context.Context, string) bool { return true }

// TestShardFull: a worker of a shard ends at the first picture that does not fit,
// with a status of its own.
func TestShardFull(t *testing.T) {
	dir := plan(t, 20, 1)
	p := &program{}
	err := p.withJob(t.Context(), dir, func(ctx context.Context, j *job.Job, out *bucket.Bucket) error {
		m, log := &fullMaker{}, slog.New(slog.DiscardHandler)
		w := &worker.Worker{Job: j, Out: out, Maker: m, Jobs: 1, Limit: time.Minute, Log: log, Starts: true}
		_, err := p.shardRound(ctx, ctx, []int{0, 1, 2}, shard{0, 1}, w, &observer{log: log})
		if m.made != 1 {
			t.Errorf("%d pictures were made", m.made)
		}
		return ended(err)
	})
	if !errors.As(err, new(fullError)) || !errors.Is(err, files.ErrFull) {
		t.Errorf("error %v", err)
	}
}
