package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCloseFails: what an open file reports when it is closed, such as a full disk,
// is an error, unless there was one before.
func TestCloseFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	own := errors.New("of the work")
	for _, work := range []error{nil, own} {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		closed := func(io.Writer) error { return errors.Join(f.Close(), work) }
		err = writeOpen(t.Context(), path, closed, func() (*os.File, error) { return f, nil })
		if err == nil || work == nil && !strings.HasPrefix(err.Error(), path+": ") || errors.Is(err, own) != (work == own) {
			t.Errorf("error %v", err)
		}
	}
}

// TestWriteEnds: an output that nobody reads delays the end of a run by no more
// than a moment, and an output that somebody reads gets the rest.
func TestWriteEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	defer reader.Close()
	done := make(chan error, 1)
	write := func(w io.Writer) error {
		_, err := w.Write([]byte("what is left"))
		return err
	}
	go func() { done <- New(nil, writer).Write(ctx, Stdio, write) }()
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("is still waiting for a reader")
	}
	var out bytes.Buffer
	if err := New(nil, &out).Write(ctx, Stdio, write); err != nil || out.String() != "what is left" {
		t.Errorf("wrote %q, %v", &out, err)
	}
}
