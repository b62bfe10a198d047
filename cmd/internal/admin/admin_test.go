package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var quiet = slog.New(slog.DiscardHandler)

// start serves until the test ends, and returns the base URL.
func start(t *testing.T, s *Server, allow ...string) string {
	t.Helper()
	ln, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln, allow...) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			conn.Close()
			t.Error("still listening after Serve returned")
		}
	})
	return "http://" + ln.Addr().String()
}

func get(t *testing.T, url, host string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestReady(t *testing.T) {
	s := New("1.2.3", quiet)
	url := start(t, s)
	for _, step := range []struct {
		set    bool
		reason error
		status int
		body   string
	}{
		{false, nil, 503, "starting\n"},
		{true, nil, 200, "ready\n"},
		{true, errors.New("shutting down"), 503, "shutting down\n"},
		{true, nil, 200, "ready\n"},
	} {
		if step.set {
			s.SetReady(step.reason)
		}
		if status, body := get(t, url+"/readyz", ""); status != step.status || body != step.body {
			t.Errorf("readyz is %d %q, want %d %q", status, body, step.status, step.body)
		}
		if status, body := get(t, url+"/healthz", ""); status != 200 || body != "ok\n" {
			t.Errorf("healthz is %d %q", status, body)
		}
	}
}

// TestMetrics: a server has its own registry, with what was promised.
func TestMetrics(t *testing.T) {
	s, other := New("1.2.3", quiet), New("4.5.6", quiet)
	count := prometheus.NewCounter(prometheus.CounterOpts{Name: "coclico_test_total"})
	s.Registry().MustRegister(count)
	count.Add(3)
	_, body := get(t, start(t, s)+"/metrics", "")
	for _, line := range []string{`coclico_build_info\{go_version="go[^"]+",version="1.2.3"\} 1`, `coclico_test_total 3`, `go_goroutines \d+`} {
		if !regexp.MustCompile("(?m)^" + line + "$").MatchString(body) {
			t.Errorf("no line %s in\n%s", line, body)
		}
	}
	_, body = get(t, start(t, other)+"/metrics", "")
	if strings.Contains(body, "coclico_test_total") || !strings.Contains(body, `version="4.5.6"`) {
		t.Errorf("the other server's metrics are\n%s", body)
	}
	if families, err := prometheus.DefaultGatherer.Gather(); err != nil {
		t.Error(err)
	} else {
		for _, f := range families {
			if strings.HasPrefix(f.GetName(), "coclico") {
				t.Errorf("%s is in the global registry", f.GetName())
			}
		}
	}
}

// TestProfiles: profiles are for this machine, by a name that no page can have.
func TestProfiles(t *testing.T) {
	s := New("1.2.3", quiet)
	url := start(t, s)
	for _, path := range []string{"", "heap", "goroutine?debug=1", "cmdline", "symbol"} {
		if status, body := get(t, url+"/debug/pprof/"+path, ""); status != 200 || body == "" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	for _, path := range []string{"/metrics", "/readyz", "/healthz", "/debug/pprof/heap"} {
		if status, _ := get(t, url+path, "evil.example"); status != 403 {
			t.Errorf("%s: status %d for a page's host, want 403", path, status)
		}
	}
	for remote, want := range map[string]int{
		"127.0.0.1:5": 200, "[::1]:5": 200, "[::ffff:127.0.0.1]:5": 200,
		"192.168.1.5:5": 403, "[2001:db8::1]:5": 403, "[::ffff:10.0.0.1]:5": 403, "": 403, "@": 403,
	} {
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
			r := httptest.NewRequest("GET", path, nil)
			r.RemoteAddr = remote
			r.Header.Set("X-Forwarded-For", "127.0.0.1")
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s from %q: status %d, want %d", path, remote, w.Code, want)
			}
		}
	}
}

// TestProfilesDualStack has a client on this machine of a listener for IPv4 and
// IPv6, whose address is then IPv6's for an IPv4 one.
func TestProfilesDualStack(t *testing.T) {
	ln, err := Listen(t.Context(), "[::]:0", true)
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- New("1.2.3", quiet).Serve(ctx, ln) }()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, "http://127.0.0.1:"+port+"/debug/pprof/cmdline", ""); status != 200 {
		t.Errorf("%d %q", status, body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestOtherSites: a page that a browser shows can neither start a profile nor run
// an answer as a script.
func TestOtherSites(t *testing.T) {
	s := New("1.2.3", quiet)
	for site, want := range map[string]int{"": 200, "none": 200, "same-origin": 200, "cross-site": 403, "same-site": 403} {
		for _, path := range []string{"/metrics", "/healthz", "/debug/pprof/cmdline"} {
			r := httptest.NewRequest("GET", path, nil)
			r.RemoteAddr = "127.0.0.1:5"
			r.Header.Set("Sec-Fetch-Site", site)
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != want || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s, site %q: status %d, header %v; want %d", path, site, w.Code, w.Header(), want)
			}
		}
	}
}

// TestHandle: a path of the program's own, asked for by a name that was allowed.
func TestHandle(t *testing.T) {
	s := New("1.2.3", quiet)
	s.Handle("GET /jsz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	url := start(t, s, "queue.example")
	for host, want := range map[string]int{"": 200, "queue.example": 200, "queue.example:9090": 200, "other.example": 403} {
		if status, _ := get(t, url+"/jsz", host); status != want {
			t.Errorf("host %q: status %d, want %d", host, status, want)
		}
	}
	ln, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := New("", quiet).Serve(t.Context(), ln, "not a host"); err == nil {
		t.Error("a host that is none is accepted")
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is still open: %v", err)
	}
}

// TestListen: beyond the loopback interface only when told so.
func TestListen(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		if ln, err := Listen(t.Context(), address, false); err == nil {
			ln.Close()
			t.Errorf("%s: listens", address)
		}
	}
	ln, err := Listen(t.Context(), "0.0.0.0:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}

// TestServeEnds: a context that has ended, and a listener that fails.
func TestServeEnds(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := New("", quiet).Serve(ctx, ln); err != nil {
		t.Errorf("ended context: %v", err)
	}
	if err := New("", quiet).Serve(context.Background(), ln); err == nil {
		t.Error("closed listener: no error")
	}
}

// TestLog: what goes wrong with a connection is an entry of the program's log, and
// nothing is printed beside it.
func TestLog(t *testing.T) {
	var text bytes.Buffer
	s := New("1.2.3", slog.New(slog.NewJSONHandler(&text, nil)))
	ln, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	full := &fullListener{Listener: ln}
	if err := s.Serve(t.Context(), full); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	var entry struct{ Level, Msg string }
	if err := json.Unmarshal(text.Bytes(), &entry); err != nil || entry.Level != "WARN" || !strings.Contains(entry.Msg, "too many open files") {
		t.Errorf("%v: the log is %q", err, text.String())
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

// TestConnections: there are few, and idle ones keep out nobody.
func TestConnections(t *testing.T) {
	url := start(t, New("1.2.3", quiet))
	first, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := first.SetDeadline(time.Now().Add(30 * time.Second)); err != nil { // before it is closed in any case
		t.Fatal(err)
	}
	if _, err := io.WriteString(first, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxConnections {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		answer, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get(url + "/healthz")
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 {
			t.Errorf("connection %d: status %d, %v", i, answer.StatusCode, err)
		}
		answer.Body.Close()
	}
	if _, err := io.Copy(io.Discard, first); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the longest idle connection was not closed")
	}
}

// TestDefaultMux: package pprof registers itself with http.DefaultServeMux, so
// no program here may serve that.
func TestDefaultMux(t *testing.T) {
	global := regexp.MustCompile(`\bhttp\.(DefaultServeMux|HandleFunc|Handle|ListenAndServe|ListenAndServeTLS|Serve|ServeTLS)\b|promhttp\.Handler\(|prometheus\.(Default|MustRegister|Register\()|promauto\.New[^R]`)
	files := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			if code, _, _ := strings.Cut(line, "//"); global.MatchString(code) {
				t.Errorf("%s: %s", path, strings.TrimSpace(line))
			}
		}
		return err
	})
	if err != nil || files < 50 {
		t.Errorf("%d files, error %v", files, err)
	}
}
