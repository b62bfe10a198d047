package serve

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
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

// sharer returns whose share a request is to be counted as: that of its client's
// address. IPv6 addresses share with the other 2^64 of their network, all of
// which one client may have.
func sharer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
		network, _ := ip.Prefix(64) // which IPv6 addresses have
		return network.String()
	}
	return ip.String()
}
