package guard

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A fakeConn is a connection of a client.
type fakeConn struct {
	net.Conn
	client string
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(c.client), Port: 1}
}

func (c *fakeConn) Close() error {
	c.closed = true
	return nil
}

// TestConnections: the longest idle connection makes room, one of the same client
// if that has its share, and a connection is refused where none is idle.
func TestConnections(t *testing.T) {
	const a, b, other = "192.0.2.1", "192.0.2.2", "192.0.2.3"
	var log bytes.Buffer
	c := NewConnections(4, slog.New(slog.NewTextHandler(&log, nil)))
	var conns []*fakeConn
	open := func(client string, state http.ConnState) {
		conn := &fakeConn{client: client}
		conns = append(conns, conn)
		c.State(conn, http.StateNew)
		c.State(conn, http.StateActive)
		c.State(conn, state)
	}
	expect := func(what string, closed ...int) {
		t.Helper()
		want := map[int]bool{}
		for _, i := range closed {
			want[i] = true
		}
		for i, conn := range conns {
			if conn.closed != want[i] {
				t.Fatalf("%s: connection %d is closed: %t", what, i, conn.closed)
			}
		}
		if n := len(conns) - len(closed); c.Open() != n {
			t.Fatalf("%s: %d connections are open, want %d", what, c.Open(), n)
		}
	}
	open(b, http.StateIdle)   // 0
	open(a, http.StateIdle)   // 1
	open(a, http.StateIdle)   // 2
	open(a, http.StateActive) // 3
	expect("the share of a client is reached", 1)
	c.State(conns[2], http.StateActive)
	open(a, http.StateActive) // 4
	expect("no connection of the client is idle", 1, 4)
	open(other, http.StateActive) // 5
	expect("there is room", 1, 4)
	open(other, http.StateActive) // 6
	expect("all are in use", 0, 1, 4)
	open(b, http.StateActive) // 7
	expect("none is idle", 0, 1, 4, 7)
	if n := c.Refused(); n != 2 {
		t.Errorf("%d were refused", n)
	}
	if strings.Count(log.String(), "too many connections") != 1 {
		t.Errorf("the log is %s", log.String())
	}
	for _, conn := range conns {
		c.State(conn, http.StateClosed)
		conn.closed = true
	}
	if c.Open() != 0 || len(c.held) != 0 || c.idle.Len() != 0 {
		t.Errorf("%d open, held %v, %d idle", c.Open(), c.held, c.idle.Len())
	}
}

// TestConnectionsOfServer: an http.Server reports its connections by the same
// values, also those of TLS and HTTP/2.
func TestConnectionsOfServer(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		c := NewConnections(4, slog.New(slog.DiscardHandler))
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		srv.Config.ConnState, srv.EnableHTTP2 = c.State, http2
		if http2 {
			srv.StartTLS()
		} else {
			srv.Start()
		}
		defer srv.Close()
		for range 5 { // twice what one client may have
			transport := srv.Client().Transport.(*http.Transport).Clone()
			defer transport.CloseIdleConnections()
			answer, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || http2 != (answer.ProtoMajor == 2) {
				t.Fatal(err, answer.Proto)
			}
			answer.Body.Close()
			for idle := false; !idle; time.Sleep(time.Millisecond) {
				c.mu.Lock()
				idle = c.idle.Len() == len(c.open)
				c.mu.Unlock()
			}
		}
		if c.Open() != 2 || c.Refused() != 0 {
			t.Errorf("HTTP/2 %t: %d open, %d refused", http2, c.Open(), c.Refused())
		}
		srv.CloseClientConnections()
		for c.Open() > 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// TestSharer: an address is a client, and so is a network of IPv6.
func TestSharer(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1", "[::ffff:192.0.2.1]:5": "192.0.2.1", "[2001:db8::1]:5": "2001:db8::/64", "[2001:db8:0:0:ffff::9]:5": "2001:db8::/64",
		"[::1]:5": "::1", "[fe80::1%eth0]:5": "fe80::1%eth0", "@": "@", "pipe:1": "pipe",
	} {
		if got := Sharer(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
