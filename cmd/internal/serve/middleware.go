package serve

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coclico/coclico/cmd/internal/guard"
	"github.com/coclico/coclico/cmd/internal/page"
)

// handler returns the handler of all requests.
func (s *Server) handler(hosts *guard.Hosts) http.Handler {
	api := http.NewServeMux()
	s.routes(api)
	guarded := hosts.Allow(guard.CrossOrigin(basic(s.Token.Require(api))))
	outer := http.NewServeMux()
	outer.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	outer.HandleFunc("GET /readyz", s.readyz)
	for _, path := range []string{"/healthz", "/readyz"} {
		outer.HandleFunc(path, s.answer(noMethod("GET, HEAD")))
	}
	outer.Handle("/", guarded)
	return s.observe(outer)
}

func (s *Server) routes(mux *http.ServeMux) {
	for pattern, h := range map[string]handler{
		"POST /v1/encode":                  s.encode,
		"POST /v1/decodes":                 s.postDecode,
		"GET /v1/decodes/{id}":             bare(s.getDecode),
		"DELETE /v1/decodes/{id}":          s.deleteDecode,
		"GET /v1/decodes/{id}/events":      bare(s.watch),
		"GET /v1/decodes/{id}/picture.png": bare(s.picturePNG),
		"GET /v1/decodes/{id}/picture.jpg": bare(s.pictureJPEG),
		"GET /v1/info":                     bare(s.info),
		"GET /openapi.yaml":                bare(document),
	} {
		mux.HandleFunc(pattern, s.answer(h))
	}
	if s.Archive != nil {
		mux.HandleFunc("GET /v1/search", s.answer(s.search))
		mux.HandleFunc("GET /v1/archive", s.answer(s.list))
		mux.HandleFunc("GET /v1/archive/file", s.answer(s.file))
	}
	// Known paths with other methods, and unknown ones.
	for path, methods := range map[string]string{
		"/v1/encode": "POST", "/v1/decodes": "POST", "/v1/decodes/{id}": "GET, HEAD, DELETE", "/v1/decodes/{id}/{part}": "GET, HEAD",
		"/v1/info": "GET, HEAD", "/openapi.yaml": "GET, HEAD", "/v1/search": "GET, HEAD", "/v1/archive": "GET, HEAD", "/v1/archive/file": "GET, HEAD",
	} {
		mux.HandleFunc(path, s.answer(noMethod(methods)))
	}
	mux.HandleFunc("/v1/", s.answer(func(http.ResponseWriter, *http.Request) error {
		return notFound.problem("nothing is at this path; /openapi.yaml lists what there is")
	}))
	mux.Handle("/", s.page)
}

// noMethod answers requests with other methods than a path has. With one of them
// the path was more special than the one that it looks like.
func noMethod(methods string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if slices.Contains(strings.Split(methods, ", "), r.Method) {
			return notFound.problem("nothing is at this path")
		}
		w.Header().Set("Allow", methods)
		return badMethod.problem("%s: this path has %s", r.Method, methods)
	}
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.isDraining() {
		writeText(w, http.StatusServiceUnavailable, "stopping\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

func (s *Server) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// basic takes the password of basic authentication for the token: a browser asks
// its user for one, and sends it for pictures and events too.
func basic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); ok {
			r.Header.Set("Authorization", "Bearer "+password)
		}
		next.ServeHTTP(w, r)
	})
}

// A record is what the log says about a request.
type record struct {
	id       string
	err      string // of the server, or of the connection
	internal bool   // of the server, even if an answer had begun
}

type recordKey struct{}

func logged(r *http.Request) *record { return r.Context().Value(recordKey{}).(*record) }

// observe gives every request a number, a place in the log and in the metrics,
// and every answer the headers that protect the page. A panic is an entry of the
// log and an answer of status 500, or the end of the connection.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.handlers.Add(1)
		defer s.handlers.Add(-1)
		start := time.Now()
		rec := &record{id: strconv.FormatUint(s.requests.Add(1), 36)}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		w := &response{ResponseWriter: rw, control: http.NewResponseController(rw)}
		h := w.Header()
		h.Set("Content-Security-Policy", page.ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Request-Id", rec.id)
		if r.Body != http.NoBody { // also for what reads it after the handler
			_ = w.control.SetReadDeadline(start.Add(s.Limits.BodyTime))
			// Reading takes no context: when the server stops, a handler must
			// not wait for a client. After the handler, its response is gone.
			end := sync.OnceFunc(func() { _ = w.control.SetReadDeadline(time.Now()) })
			stop := context.AfterFunc(r.Context(), end)
			defer func() {
				if !stop() {
					end() // or wait for its end
				}
			}()
		}
		defer func() {
			v, begun := recover(), w.status != 0
			if v != nil && v != http.ErrAbortHandler {
				rec.err, rec.internal = panicked(v).Error(), true
				if !begun {
					internal.problem("the server's log says more, request %s", rec.id).write(w)
				}
			}
			s.log(r, w, rec, time.Since(start))
			if v == http.ErrAbortHandler || v != nil && begun {
				panic(http.ErrAbortHandler) // the part of an answer must not look like the whole
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (s *Server) log(r *http.Request, w *response, rec *record, took time.Duration) {
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	route := route(r)
	s.metrics.requests.WithLabelValues(strconv.Itoa(status), route).Inc()
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("id", rec.id), slog.String("route", route), slog.Int("status", status),
		slog.Int64("bytes", w.bytes), slog.Duration("took", took.Round(time.Microsecond)), slog.String("client", client(r)),
	}
	if rec.err != "" {
		attrs = append(attrs, slog.String("error", rec.err))
		if status >= 500 || rec.internal {
			level = slog.LevelError
		}
	}
	if s.Log.Enabled(r.Context(), slog.LevelDebug) {
		attrs = append(attrs, slog.String("url", r.URL.String()))
	}
	s.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// route returns a request's method and the pattern of its path, one of few.
func route(r *http.Request) string {
	method := r.Method
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete, http.MethodOptions, http.MethodPut:
	default:
		method = "other"
	}
	path := r.URL.Path
	switch rest, isDecode := strings.CutPrefix(path, "/v1/decodes/"); {
	case isDecode:
		_, part, _ := strings.Cut(rest, "/")
		switch part {
		case "events", "picture.png", "picture.jpg":
			path = "/v1/decodes/{id}/" + part
		case "":
			path = "/v1/decodes/{id}"
		default:
			path = "other"
		}
	case path == "/v1/encode", path == "/v1/decodes", path == "/v1/info", path == "/v1/search", path == "/v1/archive", path == "/v1/archive/file", path == "/openapi.yaml",
		path == "/healthz", path == "/readyz":
	case strings.HasPrefix(path, "/v1/"):
		path = "other"
	default:
		path = "page"
	}
	return method + " " + path
}

// writeTime is how long a client may take to make room for the next piece of an
// answer.
const (
	writeTime = 15 * time.Second
	pieceSize = 64 << 10
)

// A response is a ResponseWriter each of whose writes has a deadline.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int
	bytes   int64
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.Header().Del("Accept-Ranges")        // of http.ServeContent: all is given
		if status == http.StatusUnauthorized { // for browsers
			w.Header().Add("WWW-Authenticate", `Basic realm="coclico", charset="UTF-8"`)
		}
	}
	_ = w.control.SetWriteDeadline(time.Now().Add(writeTime))
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (n int, err error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	for first := true; err == nil && (first || len(b) > 0); first = false {
		_ = w.control.SetWriteDeadline(time.Now().Add(writeTime))
		var m int
		m, err = w.ResponseWriter.Write(b[:min(len(b), pieceSize)])
		n, b = n+m, b[m:]
	}
	w.bytes += int64(n)
	return n, err
}
