package serve

import (
	"net/http"
	"sync"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// Shares bound what each client holds of something, so that none takes it from
// all the others.
type shares struct {
	each int64

	mu   sync.Mutex
	held map[string]int64 // by client, above 0
}

func newShares(each int64) *shares { return &shares{each: each, held: map[string]int64{}} }

// take reports whether a client may hold n more, and if so, it does.
func (s *shares) take(client string, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[client]+n > s.each {
		return false
	}
	s.held[client] += n
	return true
}

func (s *shares) free(client string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[client] -= n; s.held[client] <= 0 {
		delete(s.held, client)
	}
}

// sharer returns whose share a request is to be counted as.
func sharer(r *http.Request) string { return guard.Sharer(r.RemoteAddr) }
