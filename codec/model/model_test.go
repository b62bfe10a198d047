package model

import (
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
