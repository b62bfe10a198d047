package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/files"
)

// TestFinal has errors of a queue that a feeder gives up on.
func TestFinal(t *testing.T) {
	for _, c := range []struct {
		err  error
		full bool
	}{
		{&jetstream.APIError{ErrorCode: codeStorage, Description: "insufficient storage"}, true},
		{fmt.Errorf("publish: %w", &jetstream.APIError{ErrorCode: codeNoSpace}), true},
		{&jetstream.APIError{ErrorCode: jetstream.JSErrCodeStreamNotFound}, false},
		{errors.New("broken"), false},
	} {
		err := final((&Feeder{}).explain(c.err))
		if errors.Is(err, ErrFull) != c.full || !errors.Is(err, c.err) {
			t.Errorf("%v: %v", c.err, err)
		}
	}
}

// TestMisconfigured: a feeder retries what passes, and returns what would last.
func TestMisconfigured(t *testing.T) {
	for _, c := range []struct {
		err   error
		lasts bool
	}{
		{fmt.Errorf("%w: %q", jetstream.ErrInvalidStreamName, "a b"), true},
		{&jetstream.APIError{Code: 500, ErrorCode: 10074}, true},
		{&jetstream.APIError{Code: 500, ErrorCode: 10052}, true},
		{fmt.Errorf("consumer: %w", &jetstream.APIError{Code: 400, ErrorCode: 10183}), true},
		{&jetstream.APIError{Code: 400, ErrorCode: 10002}, false},
		{&jetstream.APIError{Code: 400, ErrorCode: 10005}, false},
		{&jetstream.APIError{Code: 503, ErrorCode: 10008}, false},
		{&jetstream.APIError{Code: 500, ErrorCode: codeStorage}, false},
		{context.DeadlineExceeded, false},
	} {
		if isMisconfigured(c.err) != c.lasts {
			t.Errorf("%v: lasts is %v", c.err, !c.lasts)
		}
	}
	log := slog.New(slog.DiscardHandler)
	nc := queueOf(t, t.TempDir(), log)
	j, out := jobOf(t, 1)
	for _, f := range []*Feeder{
		{Stream: "a b.c", AckWait: DefaultAckWait},
		{Stream: "$JS", AckWait: DefaultAckWait},
		{Stream: "A", AckWait: -5 * time.Second},
		{Stream: "B", AckWait: DefaultAckWait, Replicas: 3},
	} {
		f.Job, f.Out, f.Log = j, out, log
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := f.Run(ctx, nc); !errors.Is(err, ErrMisconfigured) || !strings.Contains(err.Error(), "stream "+f.Stream+": ") {
			t.Errorf("%s: error %v", f.Stream, err)
		}
		cancel()
	}
}

// jobOf returns a job of n pictures, a chunk each.
func jobOf(t *testing.T, n int) (*job.Job, *bucket.Bucket) {
	t.Helper()
	out, err := bucket.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	j := &job.Job{Source: "mem://", Chunk: 1, Model: "m", Fingerprint: "01234567"}
	names := func(yield func(bucket.Object, error) bool) {
		for i := range n {
			if !yield(bucket.Object{Name: fmt.Sprintf("%03d.png", i)}, nil) {
				return
			}
		}
	}
	if _, err := job.Write(t.Context(), j, names, out, nil); err != nil {
		t.Fatal(err)
	}
	return j, out
}

// queueOf returns a server without a token, and a connection to it.
func queueOf(t *testing.T, folder string, log *slog.Logger) *nats.Conn {
	t.Helper()
	server, err := Start(&ServerOptions{Folder: folder, Address: netip.MustParseAddrPort("127.0.0.1:0"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	nc, err := server.Connect(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// TestOpened: whoever is told that the stream is open finds it.
func TestOpened(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	j, out := jobOf(t, 5)
	var warnings bytes.Buffer
	nc := queueOf(t, t.TempDir(), slog.New(slog.DiscardHandler))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	opened := false
	f := &Feeder{Stream: DefaultStream, AckWait: DefaultAckWait, Job: j, Out: out, Log: slog.New(slog.DiscardHandler), Opened: func() {
		opened = true
		defer cancel()
		if id, _, err := Find(ctx, js, DefaultStream, slog.New(slog.NewTextHandler(&warnings, nil))); id != j.ID || err != nil {
			t.Errorf("the stream is of job %q: %v", id, err)
		}
	}}
	if err := f.Run(ctx, nc); !errors.Is(err, context.Canceled) || !opened || warnings.Len() > 0 {
		t.Errorf("opened %t, %s: %v", opened, &warnings, err)
	}
}

// TestResumed has a queue with two chunks of five, as a feeder leaves it that is
// killed while it publishes: none is reported as done.
func TestResumed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	j, out := jobOf(t, 5)
	log := slog.New(slog.DiscardHandler)
	nc := queueOf(t, t.TempDir(), log)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	killed := &Feeder{Stream: DefaultStream, AckWait: DefaultAckWait, Job: j, Out: out, Log: log, js: js, lost: make([]bool, 5)}
	if _, _, err := killed.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	if err := killed.publish(ctx, []int{0, 1}); err != nil {
		t.Fatal(err)
	}
	f := &Feeder{Stream: DefaultStream, AckWait: DefaultAckWait, Job: j, Out: out, Log: log, Progress: func(s State) {
		cancel()
		if s.Done != 0 || s.Waiting != 2 || s.Chunks != 5 {
			t.Errorf("%+v", s)
		}
	}}
	if err := f.Run(ctx, nc); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestStreamsOfClients: what clients may take of the memory is small, and a stream
// whose owner the feeder cannot look up is left alone.
func TestStreamsOfClients(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	js, err := jetstream.New(queueOf(t, t.TempDir(), log))
	if err != nil {
		t.Fatal(err)
	}
	large := jetstream.StreamConfig{Name: "large", Storage: jetstream.MemoryStorage, MaxBytes: 1 << 30}
	if _, err := js.CreateStream(t.Context(), large); err == nil {
		t.Error("a client has a gigabyte of memory")
	}
	theirs := jetstream.StreamConfig{Name: DefaultStream, Metadata: map[string]string{keyJob: "theirs"}}
	if _, err := js.CreateStream(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	f := &Feeder{Stream: DefaultStream, Job: &job.Job{ID: "ours"}, Out: &bucket.Bucket{}, Log: log, js: unknown{js}}
	if _, _, err := f.prepare(t.Context()); !errors.Is(err, errLookup) {
		t.Error(err)
	}
	stream, err := js.Stream(t.Context(), DefaultStream)
	if err != nil || stream.CachedInfo().Config.Metadata[keyJob] != "theirs" {
		t.Errorf("the other job's stream is lost: %v", err)
	}
}

// An unknown is a JetStream whose streams cannot be looked up for a while.
type unknown struct{ jetstream.JetStream }

var errLookup = errors.New("no leader yet")

func (unknown) Stream(context.Context, string) (jetstream.Stream, error) { return nil, errLookup }

// TestListingFails has a bucket that cannot be listed for a moment: the feeder
// waits for it.
func TestListingFails(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	out, err := bucket.Open(ctx, filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	j := &job.Job{Source: "mem://", Model: "m", Fingerprint: "01234567"}
	one := func(yield func(bucket.Object, error) bool) { yield(bucket.Object{Name: "a.png"}, nil) }
	if _, err := job.Write(ctx, j, one, out, nil); err != nil {
		t.Fatal(err)
	}
	parts := filepath.Join(out.Folder(), job.PartPrefix)
	if err := os.Symlink(parts, parts); err != nil { // which leads nowhere
		t.Skip(err)
	}
	log := slog.New(slog.DiscardHandler)
	nc := queueOf(t, filepath.Join(dir, "queue"), log)
	time.AfterFunc(interval/2, func() {
		if err := errors.Join(os.Remove(parts), out.Put(ctx, job.PartName(0), []byte("part"))); err != nil {
			t.Error(err)
		}
	})
	f := &Feeder{Stream: DefaultStream, AckWait: DefaultAckWait, Job: j, Out: out, Log: log}
	if err := f.Run(ctx, nc); err != nil {
		t.Error(err)
	}
}

// failing returns a feeder of a store whose writes all fail, and the number of them.
func failing(t *testing.T, err error) (*Feeder, *int) {
	t.Helper()
	j, out := jobOf(t, 1)
	if err := out.Put(t.Context(), job.PartName(0), []byte("part")); err != nil {
		t.Fatal(err)
	}
	tries := new(int)
	out.Fault = func(string, bool) error {
		*tries++
		return err
	}
	return &Feeder{Stream: DefaultStream, AckWait: DefaultAckWait, Job: j, Out: out, Log: slog.New(slog.DiscardHandler)}, tries
}

// TestForbidden has a store that does not let the feeder write: it does not try
// that again.
func TestForbidden(t *testing.T) {
	f, tries := failing(t, fs.ErrPermission)
	if err := f.Run(t.Context(), queueOf(t, t.TempDir(), f.Log)); !errors.Is(err, fs.ErrPermission) || *tries != 1 {
		t.Errorf("error %v after %d tries", err, *tries)
	}
}

// TestNoRoom has a queue whose disk is full although no code of NATS says so: the
// feeder gives up soon, and says why.
func TestNoRoom(t *testing.T) {
	f, tries := failing(t, files.ErrFull)
	f.Room = func() error { return files.ErrFull }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := f.Run(ctx, queueOf(t, t.TempDir(), f.Log)); !errors.Is(err, ErrFull) || *tries != maxFull {
		t.Errorf("error %v after %d tries", err, *tries)
	}
}
