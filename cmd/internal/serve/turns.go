package serve

import (
	"context"
	"sync"
)

// Turns limit how many encodes run at once. A free place goes round the clients, so
// that a client with many requests does not hold up one with a few.
type turns struct {
	mu      sync.Mutex
	free    int // places; none while somebody waits
	waiting round[chan struct{}]
}

func newTurns(places int) *turns { return &turns{free: places} }

// acquire waits for a place. The caller must release it unless there is an error.
func (t *turns) acquire(ctx context.Context, client string) error {
	turn := t.request(client)
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		t.cancel(turn)
		return ctx.Err()
	}
}

// request returns a channel that is closed when a place is the client's.
func (t *turns) request(client string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn := make(chan struct{})
	t.waiting.add(client, turn)
	t.assign()
	return turn
}

// cancel ends a wait, and releases the place if it has come in the meantime.
func (t *turns) cancel(turn chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.waiting.remove(turn) {
		t.free++
		t.assign()
	}
}

func (t *turns) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free++
	t.assign()
}

// assign assigns the free places. The caller has locked the turns.
func (t *turns) assign() {
	for t.free > 0 {
		turn, ok := t.waiting.next()
		if !ok {
			return
		}
		t.free--
		close(turn)
	}
}
