package model

import (
	"context"
	"errors"
	"testing"
)

// TestOnce: an error is not kept, a value is.
func TestOnce(t *testing.T) {
	calls := 0
	get := once(func() (int, error) {
		if calls++; calls == 1 {
			return 0, errors.New("too many open files")
		}
		return calls, nil
	})
	if _, err := get(); err == nil {
		t.Error("no error")
	}
	for range 2 {
		if v, err := get(); v != 2 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
	}
}

// TestOnceWaits: a caller that waits for another caller's load returns when its
// context ends.
func TestOnceWaits(t *testing.T) {
	loading, loaded := make(chan struct{}), make(chan struct{})
	get := onceIn(func(context.Context) (int, error) {
		close(loading)
		<-loaded
		return 1, nil
	})
	first := make(chan int)
	go func() {
		v, _ := get(context.Background())
		first <- v
	}()
	<-loading
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := get(ctx); err != context.Canceled {
		t.Errorf("error %v", err)
	}
	close(loaded)
	if v := <-first; v != 1 {
		t.Errorf("%d", v)
	}
}
