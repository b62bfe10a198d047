package selftest

import (
	"context"
	"errors"
	"testing"
)

func TestRun(t *testing.T) {
	if err := Run(context.Background()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
