package batch

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"testing"
	"weak"

	"github.com/coclico/coclico/cmd/internal/files"
)

// TestStopped: a run whose context has ended reports that, also if it met no job.
func TestStopped(t *testing.T) {
	in := t.TempDir()
	tree(t, in, "a.txt")
	r := upper(t.TempDir())
	jobs := jobsOf(t, r, in+"/.")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if s, err := r.Run(ctx, Each(jobs)); !errors.Is(err, context.Canceled) || s.Done != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestWaiting: an input that waits for memory when the run ends is read, which
// closes it.
func TestWaiting(t *testing.T) {
	in := t.TempDir()
	tree(t, in, "a.txt", "b.txt")
	r := upper(t.TempDir())
	waits, closed := make(chan bool), false
	r.Open = func(_ context.Context, j Job) (*Input[string], error) {
		second := filepath.Base(j.Input) == "b.txt"
		if second {
			close(waits)
		}
		return &Input[string]{Memory: r.Memory, Read: func() (string, error) {
			closed = closed || second
			return "", nil
		}}, nil
	}
	fatal := errors.New("every job would meet it")
	r.Work = func(context.Context, Job, string) (func(io.Writer) error, error) {
		<-waits
		return nil, Fatal(fatal)
	}
	if _, err := r.Run(t.Context(), Each(jobsOf(t, r, in+"/."))); err != fatal {
		t.Errorf("error %v", err)
	}
	if !closed {
		t.Error("the second input is open")
	}
}

// TestFreed: an input is not in memory while its result is written.
func TestFreed(t *testing.T) {
	type pixels [1 << 16]byte
	in := t.TempDir()
	tree(t, in, "a.txt")
	plan := testPlan(t.TempDir())
	jobs, _, err := plan.Jobs(t.Context(), []string{in})
	if err != nil {
		t.Fatal(err)
	}
	written := false
	r := &Runner[*pixels]{
		Store: plan.On(files.OS{}), Ahead: 1, Memory: 1,
		Open: func(context.Context, Job) (*Input[*pixels], error) {
			return &Input[*pixels]{Read: func() (*pixels, error) { return new(pixels), nil }}, nil
		},
		Work: func(_ context.Context, _ Job, p *pixels) (func(io.Writer) error, error) {
			input := weak.Make(p)
			return func(io.Writer) error {
				written = true
				runtime.GC()
				if input.Value() != nil {
					t.Error("the input is in memory")
				}
				return nil
			}, nil
		},
		Begin:  func(int, Job) {},
		Report: func(int, Result) {},
	}
	if _, err := r.Run(t.Context(), Each(jobs)); err != nil || !written {
		t.Errorf("error %v, written: %v", err, written)
	}
}
