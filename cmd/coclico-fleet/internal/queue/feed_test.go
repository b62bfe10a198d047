package queue

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
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
