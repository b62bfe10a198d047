package queue

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
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
		err := final(c.err)
		if isFull(c.err) != c.full || errors.Is(err, ErrFull) != c.full || !errors.Is(err, c.err) {
			t.Errorf("%v: %v", c.err, err)
		}
	}
}

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
	server, err := Start(&ServerOptions{Folder: filepath.Join(dir, "queue"), Address: netip.MustParseAddrPort("127.0.0.1:0"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	nc, err := server.Connect(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
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
