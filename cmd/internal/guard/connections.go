package guard

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Connections bound how many connections a server has, since each takes one of the
// files that the process may open. Where the bound is reached, a new connection
// takes the place of the one that has been idle the longest. If none is idle, the
// new one is closed, and the log tells so once a minute. The same holds for the
// connections of one client. Connections may be used concurrently.
type Connections struct {
	most, each int
	log        *slog.Logger

	mu      sync.Mutex
	open    map[net.Conn]*connection
	held    map[string]int // by client, above 0
	idle    list.List      // of *connection, the longest idle first
	refused int64
	warned  time.Time // when the log last told
}

type connection struct {
	net.Conn
	client string
	idle   *list.Element // nil if it is not
}

// NewConnections returns a bound of most connections, half of them for one client.
// Most must be at least 2.
func NewConnections(most int, log *slog.Logger) *Connections {
	if most < 2 {
		panic("guard: a bound of fewer than 2 connections")
	}
	return &Connections{most: most, each: most / 2, log: log, open: map[net.Conn]*connection{}, held: map[string]int{}}
}

// Open returns how many connections are open.
func (c *Connections) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// Refused returns how many connections were closed because of the bound.
func (c *Connections) Refused() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

// State is the [http.Server.ConnState] of the server.
func (c *Connections) State(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateNew {
		c.add(conn)
		return
	}
	known := c.open[conn]
	if known == nil {
		return // it is closed already
	}
	switch state {
	case http.StateActive:
		c.wake(known)
	case http.StateIdle:
		c.wake(known)
		known.idle = c.idle.PushBack(known)
	case http.StateClosed, http.StateHijacked:
		c.forget(known)
	}
}

// add adds a connection, or closes it. The caller has locked c.
func (c *Connections) add(conn net.Conn) {
	client := Sharer(conn.RemoteAddr().String())
	mine := func(other *connection) bool { return other.client == client }
	anyone := func(*connection) bool { return true }
	if c.held[client] >= c.each && !c.makeRoom(mine) || len(c.open) >= c.most && !c.makeRoom(anyone) {
		c.refused++
		c.warn(client)
		closeNow(conn)
		return
	}
	c.open[conn] = &connection{Conn: conn, client: client}
	c.held[client]++
}

// makeRoom closes the longest idle of some connections, and reports whether one
// is idle. The caller has locked c.
func (c *Connections) makeRoom(among func(*connection) bool) bool {
	for e := c.idle.Front(); e != nil; e = e.Next() {
		if old := e.Value.(*connection); among(old) {
			c.forget(old)
			closeNow(old.Conn)
			return true
		}
	}
	return false
}

// wake takes a connection out of the idle ones. The caller has locked c.
func (c *Connections) wake(known *connection) {
	if known.idle != nil {
		c.idle.Remove(known.idle)
		known.idle = nil
	}
}

// forget forgets a connection. The caller has locked c.
func (c *Connections) forget(known *connection) {
	c.wake(known)
	delete(c.open, known.Conn)
	if c.held[known.client]--; c.held[known.client] == 0 {
		delete(c.held, known.client)
	}
}

// warn writes to the log, unless it just has. The caller has locked c.
func (c *Connections) warn(client string) {
	if now := time.Now(); now.Sub(c.warned) >= time.Minute {
		c.warned = now
		c.log.Warn("too many connections are at work: new ones are refused",
			"client", client, "held", c.held[client], "open", len(c.open), "most", c.most, "refused", c.refused)
	}
}

// closeNow closes a connection without a last message of TLS, which a client that
// reads nothing would hold up.
func closeNow(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	conn.Close()
}
