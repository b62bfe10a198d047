package nntest

import "context"

// Countdown returns a context that is canceled after n calls of its Err. With n
// = 0, 1, ... it stops a network at every check of its context.
func Countdown(n int) context.Context { return &countdown{context.Background(), n} }

type countdown struct {
	context.Context
	n int
}

func (c *countdown) Err() error {
	if c.n--; c.n < 0 {
		return context.Canceled
	}
	return nil
}
