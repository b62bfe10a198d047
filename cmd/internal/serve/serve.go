package serve

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/coclico/coclico/cmd/internal/guard"
	"github.com/coclico/coclico/cmd/internal/page"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/kernels"
)

// Document is the API's description in OpenAPI 3.1.
//
//go:embed openapi.yaml
var Document []byte

// A Model is what the server encodes and paints with.
type Model struct {
	Codec       *codec.Codec
	Name        string // by which the user knows it
	Label       string // what its pictures say about it; tells it from all others
	ID          codec.ModelID
	Fingerprint uint32
	BuiltIn     bool
	Encodes     bool // it has what that takes
	Decodes     bool
	Prompts     bool // it reads them
	Side        int  // pixels of the longer side of what it paints, 0 if unknown
}

// A Config configures a [Server]. Model, Version, Log and Registry are required.
// Every request waits for Log, so what it writes to must not make it wait.
type Config struct {
	Model   Model
	Archive *Archive // nil for none
	Version string   // of the program

	Token      *guard.Token // that clients must send; nil for none
	AllowHosts []string     // names by which the server may be called
	LowMemory  bool         // paint with less memory, more slowly

	Limits   Limits
	Log      *slog.Logger
	Registry prometheus.Registerer
}

// A Server answers requests. See the package comment.
type Server struct {
	Config
	queue   *queue
	decodes *store
	metrics *metrics
	kernels string

	bodies   *semaphore.Weighted // bytes of bodies in memory
	shares   *shares             // of them
	pictures *semaphore.Weighted // bytes that reading pictures takes
	encodes  *turns              // of pictures at work
	searches *semaphore.Weighted
	lists    *semaphore.Weighted // bytes of lists that are written
	streams  atomic.Int64        // of events
	waits    atomic.Int64        // of clients for a decode
	handlers atomic.Int64        // that run

	connections *guard.Connections

	listShares *shares // of lists

	draining chan struct{} // closed when the server begins to stop
	requests atomic.Uint64 // a number for each
	page     http.Handler
}

// New returns a server. Zero limits have their defaults.
func New(c Config) (*Server, error) {
	c.Limits = c.Limits.orDefault()
	c.Model.Codec.KeepNetworks = !c.LowMemory
	s := &Server{
		Config:   c,
		queue:    newQueue(c.Limits.Queue, c.Limits.ClientQueue),
		decodes:  newStore(c.Limits.Keep, c.Limits.KeepBytes),
		kernels:  kernels.Active(),
		bodies:   semaphore.NewWeighted(c.Limits.BodyMemory),
		shares:   newShares(c.Limits.BodyMemory / 2),
		pictures: semaphore.NewWeighted(c.Limits.PictureMemory),
		encodes:  newTurns(c.Limits.Encodes),
		searches: semaphore.NewWeighted(maxSearches),
		lists:    semaphore.NewWeighted(maxLists),
		draining: make(chan struct{}),

		connections: guard.NewConnections(c.Limits.Connections, c.Log),

		listShares: newShares(maxLists / 2),
	}
	s.metrics = newMetrics(s)
	var err error
	s.page, err = newPage(page.Files)
	return s, err
}

// Times of the transport.
const (
	headerTime = 5 * time.Second // to send a request's header
	idleTime   = 120 * time.Second
	closeTime  = 1500 * time.Millisecond // for each of the last steps when the server stops
)

// errStopping is why requests end that the server has no more time for.
var errStopping = errors.New("the server stops")

// Serve answers requests from a listener, which it closes, until the context
// ends. Then it stops: requests for work are refused, and clients that watch a
// decode are told. A decode that is nearly done is finished, and its picture can
// be fetched; any other is canceled. Other requests are finished in the same time,
// or refused. That takes less than 30 seconds. The error is nil if nothing but the
// context ended it. Serve must be called once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	hosts, err := guard.NewHosts(ln.Addr(), s.AllowHosts)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	requests, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	srv := &http.Server{
		BaseContext:       func(net.Listener) context.Context { return requests },
		Handler:           s.handler(hosts),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    64 << 10,
		ConnState:         s.connections.State,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	worker := make(chan struct{})
	go func() {
		defer close(worker)
		s.queue.work(work)
	}()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(warner{ln, s.Log}) }()
	select {
	case err = <-served: // the listener broke
	case <-ctx.Done():
		s.Log.Info("stopping")
	}
	begun := time.Now()
	close(s.draining)
	s.drain(worker, stop)
	left := max(closeTime, s.Limits.Grace*6/5-time.Since(begun)) // of what drain may take
	defer time.AfterFunc(left, func() { end(errStopping) }).Stop()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), left+closeTime)
	defer cancel()
	if srv.Shutdown(closing) != nil {
		srv.Close()
	}
	s.awaitHandlers(closeTime)
	if err == nil {
		<-served
	}
	s.decodes.close()
	return err
}

// A warner warns of connections that it cannot accept, such as for want of files:
// what http.Server says of them stands among its complaints about clients.
type warner struct {
	net.Listener
	log *slog.Logger
}

// Accept implements [net.Listener].
func (w warner) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		w.log.Warn("a connection could not be accepted", "error", err)
	}
	return conn, err
}

// awaitHandlers waits until no handler runs, for some time: the caller may close
// the model and the archive when Serve returns.
func (s *Server) awaitHandlers(limit time.Duration) {
	for end := time.Now().Add(limit); s.handlers.Load() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// drain ends the work: what waits is dropped, what runs is finished if that is
// known not to take long.
func (s *Server) drain(worker <-chan struct{}, stop context.CancelFunc) {
	for _, t := range s.queue.close() {
		t.dropped()
	}
	d := s.decodes.running()
	if d != nil && d.drain(s.Limits.Grace) {
		t := time.NewTimer(s.Limits.Grace)
		defer t.Stop()
		select {
		case <-worker:
		case <-t.C:
		}
	}
	stop()
	<-worker // within a block of a network
	if d != nil {
		d.awaitFetch(s.Limits.Grace / 5)
	}
}
