package model

import "context"

// A Turn is a mutex for which one can stop waiting.
type Turn chan struct{}

// NewTurn returns a turn that is free.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits for the turn, which is then the caller's until [Turn.Give], or
// returns the context's error if that ends before.
func (t Turn) Take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Give lets the next one have the turn.
func (t Turn) Give() { <-t }
