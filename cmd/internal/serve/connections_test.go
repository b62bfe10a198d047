package serve

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ask sends a request on a connection of its own, which it keeps, and returns the
// answer's reader, or an error where the server closes the connection.
func (s *testServer) ask(path string) (net.Conn, *bufio.Reader, error) {
	s.t.Helper()
	c := s.dial()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path) // an error will be one of reading too
	r := bufio.NewReader(c)
	_, err := r.Peek(1)
	return c, r, err
}

// mustAsk asks until the server does not close the connection, to which an answered
// one is at work for a moment longer.
func (s *testServer) mustAsk(path string) (net.Conn, *bufio.Reader) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		c, r, err := s.ask(path)
		if err == nil {
			return c, r
		}
		if time.Now().After(end) {
			s.t.Fatal(err)
		}
	}
}

// TestConnections: idle connections keep out nobody, those at work no more than
// the share of their client.
func TestConnections(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Connections = 4 })
	get := func() (net.Conn, *bufio.Reader) {
		c, r := s.mustAsk("/v1/info")
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := readAnswer(t, answer); a.StatusCode != 200 {
			t.Errorf("status %d", a.StatusCode)
		}
		return c, r
	}
	first, r := get()
	for end := time.Now().Add(time.Minute); ; { // it is at work for a moment, and others make room
		get()
		if err := first.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the longest idle connection was not closed")
		}
	}
	d := s.post(202, slow, s.encode(1, ""))
	defer s.stop() // ends the decode
	var stream net.Conn
	for range 2 {
		stream, _ = s.mustAsk("/v1/decodes/" + d.ID + "/events")
	}
	if _, _, err := s.ask("/healthz"); err == nil {
		t.Error("a client has more connections than its share")
	}
	if !strings.Contains(s.log.String(), "too many connections") {
		t.Error("the log does not tell of the refusal")
	}
	stream.Close()
	s.mustAsk("/healthz")
}

// TestDefaultConnections: some files are left for the archive and the admin
// listener.
func TestDefaultConnections(t *testing.T) {
	for files, want := range map[int]int{1: 2, 64: 32, 1024: 512, 1 << 20: 1 << 15, math.MaxInt32: 1 << 15} {
		if got := defaultConnections(files); got != want {
			t.Errorf("%d files: %d connections, want %d", files, got, want)
		}
	}
}

// A fullListener has no file for its first connection.
type fullListener struct {
	net.Listener
	tried bool
}

func (l *fullListener) Accept() (net.Conn, error) {
	if !l.tried {
		l.tried = true
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// TestAcceptErrors: the log of level info tells of connections that cannot be
// accepted. They do not end the server.
func TestAcceptErrors(t *testing.T) {
	s := startAt(t, nil, func(ln net.Listener) net.Listener { return &fullListener{Listener: ln} })
	s.do(200, "GET", "/healthz", nil)
	if log := s.log.String(); !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, "too many open files") {
		t.Errorf("the log is %s", log)
	}
}
