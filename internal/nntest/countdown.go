package nntest

import "context"

// Countdown returns a context that is canceled when its Err has been called n
// times: it finds every place where a network looks at its context.
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
