package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

// TestNotBlamed has a store fail, and workers be stopped, while they work on a
// picture: it is not the picture that has ended them.
func TestNotBlamed(t *testing.T) {
	w, s := newWorker(t, 10)
	w.Starts = true
	for n := range 3 {
		s.does[name(6)] = func(context.Context) error { return errors.New("the store is away") }
		ctx, cancel := context.WithCancel(t.Context())
		if n == 2 { // the grace is over
			s.does[name(6)] = func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() }
		}
		if err := w.Chunk(ctx, t.Context(), 0, true); err == nil {
			t.Fatal("no error")
		}
		cancel()
		got := tries(t, w)
		// The rows that were made have notes still.
		if count(got, "part-00000000/note-") != 6 || count(got, "part-00000000/row-") != 6 || len(got) != 12 {
			t.Fatal(n, got)
		}
	}
	delete(s.does, name(6))
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	if failed := part(t, w, 0); len(failed) > 0 || tries(t, w) != nil {
		t.Error(failed, tries(t, w))
	}
}

// TestAbandoned ends a worker in the middle of a picture: it is at work still,
// and what it uses must stay open.
func TestAbandoned(t *testing.T) {
	w, s := newWorker(t, 10)
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	s.does[name(0)] = func(context.Context) error { cancel(); <-release; return nil }
	if err := w.Chunk(ctx, t.Context(), 0, true); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if w.Stuck() != 1 {
		t.Errorf("%d pictures are stuck, want 1", w.Stuck())
	}
	close(release)
	for w.Stuck() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// TestKept stops a worker in the middle of a chunk, whose picture ends or does
// not: the next one does the rest.
func TestKept(t *testing.T) {
	t.Run("soft", func(t *testing.T) {
		soft, stop := context.WithCancel(t.Context())
		kept(t, t.Context(), soft, func(context.Context) error { stop(); return nil }, ErrStopped, 10)
	})
	t.Run("at once", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		kept(t, ctx, ctx, func(ctx context.Context) error { stop(); <-ctx.Done(); return ctx.Err() }, context.Canceled, 11)
	})
}

// kept has the fifth of ten pictures stop a worker with an error. In all it wants
// some number of pictures to be made.
func kept(t *testing.T, ctx, soft context.Context, fifth func(context.Context) error, want error, made int) {
	w, s := newWorker(t, 10)
	w.Jobs, w.Starts = 1, true
	s.does[name(4)] = fifth
	if err := w.Chunk(ctx, soft, 0, false); !errors.Is(err, want) {
		t.Fatal(err)
	}
	delete(s.does, name(4))
	if got := tries(t, w); len(got) != 1 || !strings.HasPrefix(got[0], "part-00000000/kept-") {
		t.Error(got)
	}
	before := len(s.made)
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	if before < 5 || len(s.made) != made {
		t.Errorf("%d pictures before the stop, %d in all: %v", before, len(s.made), s.made)
	}
	if failed := part(t, w, 0); len(failed) > 0 || tries(t, w) != nil {
		t.Error(failed, tries(t, w))
	}
}

// TestKilledAfterStop looks at what a worker has left after it was told to stop
// and before its picture ends, as it is when the process is killed then: no
// start or note blames it, and the rows that were made are kept.
func TestKilledAfterStop(t *testing.T) {
	for _, careful := range []bool{false, true} {
		w, s := newWorker(t, 10)
		w.Jobs, w.Starts = 1, true
		soft, stop := context.WithCancel(t.Context())
		begun, release := make(chan struct{}), make(chan struct{})
		s.does[name(4)] = func(context.Context) error { close(begun); <-release; return nil }
		ended := make(chan error)
		go func() { ended <- w.Chunk(t.Context(), soft, 0, careful) }()
		<-begun
		stop()
		blamed, saved := func(names []string) int {
			return count(names, "part-00000000/start-") + count(names, "part-00000000/note-0004-")
		}, func(names []string) bool {
			return careful || count(names, "part-00000000/kept-") == 1
		}
		got := tries(t, w)
		for end := time.Now().Add(10 * time.Second); (blamed(got) > 0 || !saved(got)) && time.Now().Before(end); got = tries(t, w) {
			time.Sleep(5 * time.Millisecond)
		}
		if blamed(got) > 0 || !saved(got) {
			t.Errorf("careful %v: left %v", careful, got)
		}
		next, err := w.tries(t.Context(), 0, sourcesOf(t, w))
		if err != nil || next.found != 4 {
			t.Errorf("careful %v: %d rows were kept, %v", careful, next.found, err)
		}
		close(release)
		if err := <-ended; !errors.Is(err, ErrStopped) {
			t.Error(err)
		}
		if next, err = w.tries(t.Context(), 0, sourcesOf(t, w)); err != nil || next.found != 5 {
			t.Errorf("careful %v: %d rows were kept in the end, %v", careful, next.found, err)
		}
		if got := tries(t, w); !careful && len(got) != 1 {
			t.Errorf("left %v", got)
		}
	}
}

// sourcesOf returns the sources of the first chunk.
func sourcesOf(t *testing.T, w *Worker) []bucket.Object {
	t.Helper()
	sources, err := w.Job.Names(w.Out).Chunk(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return sources
}
