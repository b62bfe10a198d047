package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

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
