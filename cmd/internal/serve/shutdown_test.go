package serve

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestShutdown: when the server stops, clients that watch are told. What waits
// and what would take long is canceled.
func TestShutdown(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Grace = time.Nanosecond })
	first := s.post(202, slow, s.encode(1, ""))
	w := s.watchDecode(first.ID)
	for w.until("step")[0].data.Step == 0 {
	}
	second := s.watchDecode(s.post(202, slow, s.encode(2, "")).ID)
	waiting := make(chan answer)
	go func() {
		response, err := s.http.Do(s.request("POST", "/v1/decodes"+slow, s.Server.decodes.get(first.ID).file.Bytes(), "Content-Type: "+fileType, "Prefer: wait=300", "Accept: image/png"))
		if err != nil {
			t.Error(err)
			close(waiting)
			return
		}
		waiting <- readAnswer(t, response)
	}()
	contest := make(chan answer)
	go func() {
		response, err := s.http.Do(s.request("POST", "/v1/encode?candidates=9", photo(t, 1), "Content-Type: image/png"))
		if err != nil {
			t.Error(err)
			close(contest)
			return
		}
		contest <- readAnswer(t, response)
	}()
	for s.queue.len() < 2 {
		time.Sleep(time.Millisecond)
	}
	s.stop()
	for _, w := range []*watcher{w, second} {
		events := w.until("shutdown")
		if events[len(events)-1].data.Finishing {
			t.Error("a decode that takes long is to be finished")
		}
		if e, ok := w.next(); ok {
			t.Errorf("after shutdown comes %+v", e)
		}
	}
	if a := <-contest; a.StatusCode != 503 || a.problem(t).Type != "urn:coclico:problem:shutdown" {
		t.Errorf("candidates: status %d, %s", a.StatusCode, a.body)
	}
	if a, ok := <-waiting; ok && (a.StatusCode != 503 || a.problem(t).Type != "urn:coclico:problem:shutdown") {
		t.Errorf("who waits: status %d, %s", a.StatusCode, a.body)
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	s.ended <- nil
}

// TestFinishing: a decode that is nearly done is finished when the server stops,
// and its picture can be fetched; meanwhile there is no more work.
func TestFinishing(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Grace = time.Hour })
	file := s.encode(1, "")
	d := s.post(202, "?steps=300&strength=1", file)
	w := s.watchDecode(d.ID)
	for w.until("step")[0].data.Step == 0 {
	}
	s.stop()
	if e := w.until("shutdown"); !e[len(e)-1].data.Finishing {
		t.Error("a decode that is nearly done is not to be finished")
	}
	s.do(503, "GET", "/readyz", nil)
	s.do(200, "GET", "/healthz", nil)
	for _, r := range []answer{
		s.do(503, "POST", "/v1/encode", photo(t, 2), "Content-Type: image/png"),
		s.do(503, "POST", "/v1/decodes?seed=9", file, "Content-Type: "+fileType),
	} {
		if p := r.problem(t); p.Type != "urn:coclico:problem:shutdown" || r.Header.Get("Retry-After") == "" {
			t.Errorf("%+v", p)
		}
	}
	e := w.until("done")
	got := s.do(200, "GET", e[len(e)-1].data.Picture, nil)
	if !strings.HasPrefix(string(got.body), "\x89PNG") {
		t.Errorf("%.20q", got.body)
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	s.ended <- nil
}

// TestEncodesAtShutdown: an encode that has begun when the server stops is
// finished, for longer than answers take, or refused, and then Serve returns.
func TestEncodesAtShutdown(t *testing.T) {
	for _, c := range []struct {
		grace, work time.Duration
		status      int
	}{{10 * time.Second, 6 * time.Second, 200}, {time.Millisecond, time.Hour, 503}} {
		if testing.Short() && c.work == 6*time.Second {
			continue
		}
		s := start(t, func(config *Config) { config.Limits.Grace = c.grace })
		release := occupy(t, s.Server) // the encode takes long
		got := make(chan answer, 1)
		go func() {
			response, err := s.http.Do(s.request("POST", "/v1/encode", photo(t, 1), "Content-Type: image/png"))
			if err != nil {
				t.Error(err)
				close(got)
				return
			}
			got <- readAnswer(t, response)
		}()
		deadline := time.Now().Add(time.Minute)
		for begun := false; !begun; time.Sleep(time.Millisecond) { // to read its body: it is not refused
			s.shares.mu.Lock()
			begun = len(s.shares.held) > 0
			s.shares.mu.Unlock()
			if time.Now().After(deadline) {
				t.Fatal("the encode does not begin")
			}
		}
		s.stop()
		timer := time.AfterFunc(c.work, release)
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		s.ended <- nil
		timer.Stop()
		if n := s.handlers.Load(); n != 0 {
			t.Errorf("%d handlers run after Serve", n)
		}
		if a, ok := <-got; ok && (a.StatusCode != c.status || a.StatusCode == 503 && a.problem(t).Type != "urn:coclico:problem:shutdown") {
			t.Errorf("status %d, %s", a.StatusCode, a.body)
		}
	}
}

// TestBodiesAtShutdown: a client that is still sending its request when the server
// has no more time for it is told so.
func TestBodiesAtShutdown(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Grace = time.Millisecond })
	var clients []net.Conn
	for _, begun := range []string{
		"/v1/encode HTTP/1.1\r\nContent-Type: image/png\r\n%s\x89PN",
		"/v1/encode HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n%s--x\r\nContent-Disposition: form-",
		"/v1/decodes HTTP/1.1\r\n%s\x01",
	} {
		c := s.dial()
		fmt.Fprintf(c, "POST "+begun, "Host: localhost\r\nContent-Length: 1000000\r\n\r\n")
		clients = append(clients, c)
	}
	for s.handlers.Load() < int64(len(clients)) {
		time.Sleep(time.Millisecond)
	}
	s.stop()
	for i, c := range clients {
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		if a := readAnswer(t, response); a.StatusCode != 503 || a.problem(t).Type != "urn:coclico:problem:shutdown" || !a.Close {
			t.Errorf("client %d: status %d, %s", i, a.StatusCode, a.body)
		}
	}
}
