package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// parallel is the number of files that are downloaded at a time: enough that
// the small ones do not wait for each other's round trips.
const parallel = 4

// Pull downloads the missing bytes of a plan's files and returns the model's
// folder. Whatever has come stays after an error, and the next pull resumes
// from there. progress, which may be nil, is called with the number of the
// plan's bytes that are in the cache.
func (c *Client) Pull(ctx context.Context, p *Plan, progress func(done int64)) (string, error) {
	if err := c.room(string(c.Cache), p.Left()); err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &tally{progress: progress}
	next := make(chan Item)
	var wg sync.WaitGroup
	for range min(parallel, len(p.Files)) {
		wg.Go(func() {
			for f := range next {
				if ctx.Err() != nil {
					continue
				}
				if err := c.pullFile(ctx, p, f, t); err != nil {
					cancel(err) // the first one counts
				}
			}
		})
	}
	for _, f := range p.Files {
		next <- f
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err := c.Cache.setRef(p.Repo, p.Revision, p.Commit); err != nil {
		return "", err
	}
	return c.Cache.snapshot(p.Repo, p.Commit), nil
}

func (c *Client) pullFile(ctx context.Context, p *Plan, f Item, t *tally) error {
	if err := c.fetch(ctx, p.Repo, p.Commit, f.File, t.add); err != nil {
		return err
	}
	return c.Cache.link(ctx, p.Repo, p.Commit, f.File, c.NoSymlinks)
}

// A tally adds up what the downloads report.
type tally struct {
	mu       sync.Mutex
	done     int64
	progress func(int64)
}

func (t *tally) add(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += n
	if t.progress != nil {
		t.progress(t.done)
	}
}

// reserve is left free on the disk.
const reserve = 64 << 20

// room checks that left more bytes fit on the disk of a folder, which need not
// exist.
func (c *Client) room(folder string, left int64) error {
	if left == 0 {
		return nil
	}
	dir := folder
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	if n, ok := free(dir); ok && n < left+reserve {
		return fmt.Errorf("%s: %.2f GB are needed and %.2f GB are free: make room, or choose a folder on another disk (HF_HOME is the cache's)",
			folder, float64(left+reserve)/1e9, float64(n)/1e9)
	}
	return nil
}
