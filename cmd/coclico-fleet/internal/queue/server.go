package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/guard"
)

// A Server is a NATS server in this process.
type Server struct {
	nats   *server.Server
	folder string
	lock   files.Part
	log    *slog.Logger
}

// ServerOptions configures a Server.
type ServerOptions struct {
	Folder   string         // of the queue
	Address  netip.AddrPort // to listen at; port 0 for any
	Policy   guard.Policy
	MaxStore int64 // bytes that the queue may take, 0 for most of the free ones
	Log      *slog.Logger
}

// ErrBusy means that another process has the folder of the queue.
var ErrBusy = errors.New("another process runs this queue")

// Start starts a server on a folder, with what the folder holds of an earlier
// one. Every message is synced to the disk before it is acknowledged, which
// JetStream by itself does every two minutes.
func Start(o *ServerOptions) (*Server, error) {
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, err
	}
	lock, err := files.OS{}.Create(filepath.Join(o.Folder, "lock"))
	if errors.Is(err, files.ErrBusy) {
		err = ErrBusy
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Folder, err)
	}
	s := &Server{folder: o.Folder, lock: lock, log: o.Log}
	if err := s.start(o); err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", o.Folder, err)
	}
	return s, nil
}

func (s *Server) start(o *ServerOptions) (err error) {
	// Clients may create streams of their own. NATS would let those in memory
	// take three quarters of it; the queue itself has none.
	const maxMemory = 16 << 20
	options := &server.Options{
		ServerName: "coclico-fleet", Host: o.Address.Addr().String(), Port: int(o.Address.Port()), NoSigs: true,
		JetStream: true, StoreDir: o.Folder, SyncAlways: true, JetStreamMaxStore: o.MaxStore, JetStreamMaxMemory: maxMemory,
		TLSConfig: o.Policy.TLS, TLSTimeout: 5, DisableJetStreamBanner: true,
	}
	if options.Port == 0 {
		options.Port = server.RANDOM_PORT
	}
	if o.Policy.Token != nil {
		options.Authorization = o.Policy.Token.Reveal()
	}
	if s.nats, err = server.NewServer(options); err != nil {
		return err
	}
	log := &logger{log: o.Log}
	s.nats.SetLoggerV2(log, false, false, false)
	s.nats.Start()
	if !s.nats.ReadyForConnections(20*time.Second) || log.fatal() != "" {
		if why := log.fatal(); why != "" {
			return errors.New(why)
		}
		return errors.New("the queue does not start")
	}
	return nil
}

// URL returns the URL at which the server listens.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Connect connects to the server within the process.
func (s *Server) Connect(ctx context.Context, token *guard.Token) (*nats.Conn, error) {
	d := Dial{Token: token, Log: s.log}
	return d.Connect(ctx, nats.InProcessServer(s.nats))
}

// Depth answers what a scaler asks about the length of the queue, as NATS's own
// monitoring does under /jsz.
func (s *Server) Depth() http.Handler { return http.HandlerFunc(s.nats.HandleJsz) }

// Room returns [files.ErrFull] if the disk of the queue is full.
func (s *Server) Room() error { return files.Room(s.folder) }

// Close ends the server. The folder keeps the queue.
func (s *Server) Close() {
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	}
	s.lock.Close()
}

// A logger is the server's log.
type logger struct {
	log *slog.Logger

	mu  sync.Mutex
	why string
}

func (l *logger) fatal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// Fatalf implements [server.Logger]. It does not end the process: Start returns
// the reason.
func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = fmt.Sprintf(format, v...)
}

func (l *logger) Noticef(format string, v ...any) { l.log.Debug(text(format, v)) }
func (l *logger) Warnf(format string, v ...any)   { l.log.Warn(text(format, v)) }
func (l *logger) Errorf(format string, v ...any)  { l.log.Error(text(format, v)) }
func (l *logger) Debugf(format string, v ...any)  { l.log.Debug(text(format, v)) }
func (l *logger) Tracef(string, ...any)           {}

func text(format string, v []any) string {
	return "queue: " + strings.TrimSpace(fmt.Sprintf(format, v...))
}
