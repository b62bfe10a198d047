// Package admin serves what the operator of a long-running program asks it, on
// a listener of its own:
//
//	/healthz      200 while the program runs
//	/readyz       200, or 503 and the reason while it starts or shuts down
//	/metrics      Prometheus metrics
//	/debug/pprof  profiles of net/http/pprof
//
// # Who may ask
//
// [Listen] opens the loopback interface unless its caller says otherwise. Beyond
// it the first three answer anyone, as probes and scrapers want. Profiles do
// not leave the machine: they hold pieces of what is being worked on, and cost
// time. Requests for a host name other than localhost are refused unless the
// user allows it, because a browser could send them for a page that it shows
// (see package guard); an IP address will do.
//
// The profiles' package registers itself with http.DefaultServeMux too, which
// for that reason no server of this module uses.
package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// A Server answers the questions about one program. Its methods may be called
// from several goroutines.
type Server struct {
	log      *slog.Logger
	registry *prometheus.Registry
	unready  atomic.Pointer[string] // why; nil if ready
	mux      *http.ServeMux
}

// New returns the server of a program of a version, which is not ready yet:
// "starting". Its registry holds the metrics of the Go runtime and the process,
// and coclico_build_info. The log is told of what goes wrong with connections.
func New(version string, log *slog.Logger) *Server {
	s := &Server{log: log, registry: prometheus.NewRegistry(), mux: http.NewServeMux()}
	s.SetReady(errors.New("starting"))
	s.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "coclico_build_info",
			Help:        "1, with the version of the program and of Go as labels.",
			ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
		}, func() float64 { return 1 }),
	)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	s.mux.HandleFunc("GET /readyz", s.readyz)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/":        pprof.Index,
		"/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol":  pprof.Symbol,
		"/debug/pprof/trace":   pprof.Trace,
	} {
		s.mux.Handle("GET "+path, fromHere(handler))
	}
	return s
}

// Registry returns the registry of the metrics, to which the program adds its
// own.
func (s *Server) Registry() *prometheus.Registry { return s.registry }

// SetReady sets whether the program is ready: nil if it is, and otherwise the
// reason.
func (s *Server) SetReady(reason error) {
	if reason == nil {
		s.unready.Store(nil)
		return
	}
	text := reason.Error()
	s.unready.Store(&text)
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if reason := s.unready.Load(); reason != nil {
		answer(w, http.StatusServiceUnavailable, *reason)
		return
	}
	answer(w, http.StatusOK, "ready")
}

func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, text+"\n") // an error means that the client left
}

// fromHere refuses requests from other machines.
func fromHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !from.Addr().IsLoopback() {
			answer(w, http.StatusForbidden, "profiles are for this machine alone: forward a port to its loopback interface")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromNoPage refuses what a browser requests on behalf of another site's page,
// which may show or run an answer as its own without a name being rebound.
func fromNoPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			answer(w, http.StatusForbidden, "not for pages of other sites")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Handle adds a handler of the program's own, for a pattern of http.ServeMux. It
// must be called before [Server.Serve], and the handler must suit whoever may
// connect.
func (s *Server) Handle(pattern string, handler http.Handler) { s.mux.Handle(pattern, handler) }

// Handler returns the handler of all paths.
func (s *Server) Handler() http.Handler { return fromNoPage(s.mux) }

// Listen listens at an address, which must be on the loopback interface unless
// anywhere is true.
func Listen(ctx context.Context, address string, anywhere bool) (net.Listener, error) {
	return guard.Listen(ctx, address, guard.Policy{Open: anywhere, Plain: anywhere})
}

// maxConnections is more than probes and scrapers need, and leaves the process its
// files.
const maxConnections = 16

// Serve answers requests from a listener, which it closes, until the context
// ends. Besides IP addresses and localhost, requests may be for the hosts that
// the user allows (--allow-host). A program that shuts down should first call
// [Server.SetReady] with the reason, finish its work, and then end the context.
func (s *Server) Serve(ctx context.Context, ln net.Listener, allow ...string) error {
	hosts, err := guard.NewHosts(ln.Addr(), allow)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	srv := &http.Server{
		Handler:           hosts.Allow(s.Handler()),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * time.Minute, // the longest profile
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnState:         guard.NewConnections(maxConnections, s.log.With("listener", "admin")).State,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
