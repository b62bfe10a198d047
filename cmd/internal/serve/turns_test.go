package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// occupy takes all places of encodes. The function that it returns releases them.
func occupy(t testing.TB, s *Server) (release func()) {
	t.Helper()
	for range s.Limits.Encodes {
		if err := s.encodes.acquire(t.Context(), "occupant"); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for range s.Limits.Encodes {
			s.encodes.release()
		}
	}
}

// TestEncodesTakeTurns: a client's encode waits for no more than one of another
// client, however many that has sent before.
func TestEncodesTakeTurns(t *testing.T) {
	const crowd = 20
	s, h := secureServer(t, func(c *Config) { c.Limits.Encodes = 1 })
	release := occupy(t, s)
	picture := photo(t, 1)
	var mu sync.Mutex
	var order []string
	var all sync.WaitGroup
	post := func(address string) {
		all.Go(func() {
			w := secureRequest(h, "POST", "/v1/encode", bytes.NewReader(picture), func(r *http.Request) { r.RemoteAddr = address + ":1" })
			mu.Lock()
			defer mu.Unlock()
			if order = append(order, address); w.Code != 200 {
				t.Errorf("%s: status %d, %s", address, w.Code, w.Body)
			}
		})
	}
	for range crowd {
		post("127.0.0.1")
	}
	awaitTurns(s, crowd)
	post("127.0.0.2")
	awaitTurns(s, crowd+1)
	release()
	all.Wait()
	if i := slices.Index(order, "127.0.0.2"); i > 1 {
		t.Errorf("the other client was served after %d of %d", i, crowd)
	}
}

func awaitTurns(s *Server, waiting int) {
	for n := 0; n < waiting; time.Sleep(time.Millisecond) {
		s.encodes.mu.Lock()
		n = s.encodes.waiting.length
		s.encodes.mu.Unlock()
	}
}

// TestTurns: whoever gives up waiting takes no place with it.
func TestTurns(t *testing.T) {
	s := newTurns(1)
	if err := s.acquire(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	for range 3 {
		if err := s.acquire(left, "b"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	late := s.request("b") // whose place comes while it leaves
	s.release()
	s.cancel(late)
	if s.free != 1 || s.waiting.length != 0 || len(s.waiting.lines) != 0 {
		t.Errorf("%d places are free, %d wait", s.free, s.waiting.length)
	}
}
