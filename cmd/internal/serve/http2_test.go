package serve

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestResets: a client that resets its streams, as HTTP/2 has them, ends contexts
// while handlers return. What sets a deadline then must not find the response gone.
func TestResets(t *testing.T) {
	s := start(t, nil)
	srv := httptest.NewUnstartedServer(s.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			for range 40 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(4000))*time.Microsecond)
				r, err := http.NewRequestWithContext(ctx, "POST", srv.URL, strings.NewReader("body"))
				if err != nil {
					t.Error(err)
				}
				if response, err := srv.Client().Do(r); err == nil {
					if response.ProtoMajor != 2 {
						t.Errorf("HTTP/%d", response.ProtoMajor)
					}
					response.Body.Close()
				}
				cancel()
			}
		})
	}
	clients.Wait()
}
