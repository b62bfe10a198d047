package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
)

// A shard is a worker's share of the chunks: every of-th one from index on.
type shard struct{ index, of int }

// arrays are the variables by which an array of jobs tells each its number, and
// how many there are.
var arrays = []struct{ index, count, first, step string }{
	{index: "JOB_COMPLETION_INDEX", count: shardsVar}, // Kubernetes tells no number
	{index: "SLURM_ARRAY_TASK_ID", count: "SLURM_ARRAY_TASK_COUNT", first: "SLURM_ARRAY_TASK_MIN", step: "SLURM_ARRAY_TASK_STEP"},
	{index: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE"},
	{index: "CLOUD_RUN_TASK_INDEX", count: "CLOUD_RUN_TASK_COUNT"},
	{index: "BATCH_TASK_INDEX", count: "BATCH_TASK_COUNT"},
}

// shardsVar is the number of shards, if the array's own variables do not say it.
const shardsVar = "COCLICO_SHARDS"

// parseShard parses i/n, or auto.
func parseShard(text string) (s shard, err error) {
	if text == "auto" {
		return autoShard(os.LookupEnv)
	}
	i, n, _ := strings.Cut(text, "/")
	s.index, err = strconv.Atoi(i)
	if err == nil {
		s.of, err = strconv.Atoi(n)
	}
	if err != nil || s.index < 0 || s.index >= s.of {
		return s, options.Usagef("--shard %s: must be i/n, with i from 0 to n-1, or auto", text)
	}
	return s, nil
}

// autoShard finds the shard in the environment.
func autoShard(getenv func(string) (string, bool)) (shard, error) {
	for _, a := range arrays {
		if _, found := getenv(a.index); !found {
			continue
		}
		var bad string
		number := func(name, otherwise string) int {
			value := otherwise
			if v, found := getenv(name); found && name != "" {
				value = v
			}
			n, err := strconv.Atoi(value)
			if err != nil {
				bad = cmp.Or(bad, name)
			}
			return n
		}
		count := a.count
		if _, found := getenv(shardsVar); found {
			count = shardsVar
		}
		s := shard{of: number(count, "")}
		index, first, step := number(a.index, ""), number(a.first, "0"), number(a.step, "1")
		if bad == "" && step > 0 {
			s.index = (index - first) / step
		}
		switch {
		case bad != "":
			return s, fmt.Errorf("$%s is not a number: with $%s, %s says how many shards there are", bad, a.index, "$"+count)
		case step < 1 || s.of < 1 || s.index < 0 || s.index >= s.of:
			return s, fmt.Errorf("$%s %d is not one of %d shards", a.index, index, s.of)
		}
		return s, nil
	}
	return shard{}, options.Usagef("--shard auto: not in an array of jobs: none of their variables is set; --shard i/n says it")
}

// workShard does the chunks of a shard. One that fails is tried again after the
// others.
func (p *program) workShard(ctx, soft context.Context, j *job.Job, out *bucket.Bucket, s shard, f *workerFlags, obs *observer) error {
	w, end, err := p.newWorker(ctx, j, out, f, obs)
	if err != nil {
		return err
	}
	defer end()
	w.Starts = true
	obs.ready(nil)
	const rounds = 3
	for n := 1; ; n++ {
		missing, err := job.Missing(ctx, j, out)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			if err := job.SetDone(ctx, out); err != nil {
				return err
			}
			return p.sayDone()
		}
		failed, err := p.shardRound(ctx, soft, missing, s, w, obs)
		switch {
		case err == nil && failed == nil:
			if missing, err = job.Missing(ctx, j, out); err == nil && len(missing) == 0 {
				err = job.SetDone(ctx, out)
			}
			return err
		case err != nil:
			return ended(err)
		case n == rounds:
			return fmt.Errorf("%w; the chunks that are done are kept, and the same command does the rest", failed)
		}
		select {
		case <-soft.Done():
		case <-time.After(time.Duration(n) * 5 * time.Second):
		}
	}
}

// shardRound does those of the missing chunks that are of a shard. The first
// result is the error of one of those that failed.
func (p *program) shardRound(ctx, soft context.Context, missing []int, s shard, w *worker.Worker, obs *observer) (failed, err error) {
	for _, chunk := range missing {
		switch {
		case chunk%s.of != s.index:
			continue
		case soft.Err() != nil:
			return nil, worker.ErrStopped
		case w.Stuck() > 0:
			return nil, errStuck
		}
		err := w.Chunk(ctx, soft, chunk, false)
		switch {
		case soft.Err() != nil && err != nil:
			if !errors.Is(err, worker.ErrStopped) {
				obs.log.Warn("failed", "chunk", chunk, "error", err)
			}
			return nil, fmt.Errorf("%w: %w", worker.ErrStopped, err)
		case errors.Is(err, files.ErrFull): // other chunks would not fit either
			return nil, err
		case err != nil:
			obs.log.Warn("failed", "chunk", chunk, "error", err)
			failed = err
		default:
			obs.log.Debug("done", "chunk", chunk)
		}
	}
	return failed, nil
}
