package model

import "context"

// A Lock is a mutual exclusion lock whose Acquire honors a context. It must be
// made by [NewLock].
type Lock chan struct{}

// NewLock returns an unlocked lock.
func NewLock() Lock { return make(Lock, 1) }

// Acquire locks l. If the lock is in use, it blocks until the lock is released
// or ctx ends, and returns the context's error in the latter case; so it does if
// ctx has ended before.
func (l Lock) Acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release unlocks l, which must be locked.
func (l Lock) Release() { <-l }
