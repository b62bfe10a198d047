package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coclico/coclico/codec"
)

// contract finds the operation that a request is, in openapi.yaml.
var contract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(Document)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	for _, media := range []string{"image/png", "image/jpeg", "image/tiff", fileType, "application/octet-stream", "text/event-stream", "application/yaml"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.FileBodyDecoder)
	}
	return legacy.NewRouter(doc)
})

// A testServer is a server at work, and a client that compares what it sends and
// gets with the contract.
type testServer struct {
	*Server
	t    testing.TB
	url  string
	http *http.Client
	log  *lockedBuffer

	stop  func()     // as SIGTERM does
	ended chan error // what Serve returned
}

// servers is the number of servers at work: a test may have two.
var servers int

// start starts a server of the built-in model. It ends with the test, which then
// fails if it left a goroutine.
func start(t testing.TB, change func(*Config)) *testServer {
	t.Helper()
	return startAt(t, change, func(ln net.Listener) net.Listener { return ln })
}

// startAt is start with another listener.
func startAt(t testing.TB, change func(*Config), listen func(net.Listener) net.Listener) *testServer {
	t.Helper()
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.ModelID()
	if err != nil {
		t.Fatal(err)
	}
	log := new(lockedBuffer)
	config := Config{
		Model:   Model{Codec: c, Name: "built-in", Label: "mini 904e1edc", ID: id, Fingerprint: 0x904e1edc, BuiltIn: true, Encodes: true, Decodes: true, Side: 128},
		Version: "test", Log: slog.New(slog.NewJSONHandler(log, nil)), Registry: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&config)
	}
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	servers++
	ctx, stop := context.WithCancel(context.Background())
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	s := &testServer{
		Server: server, t: t, url: "http://" + listener.Addr().String(), log: log, stop: stop, ended: make(chan error, 1),
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	go func() { s.ended <- server.Serve(ctx, listen(listener)) }()
	t.Cleanup(func() {
		stop()
		transport.CloseIdleConnections()
		if err := <-s.ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		s.ended <- nil // for those who wait too
		c.Close()
		if servers--; servers == 0 {
			checkGoroutines(t)
		}
		for _, word := range []string{"panic", `"level":"ERROR"`} {
			if strings.Contains(log.String(), word) {
				t.Errorf("the log has %s:\n%s", word, log)
			}
		}
	})
	return s
}

// checkGoroutines fails if a goroutine of the server is left. Those of
// connections need a moment.
func checkGoroutines(t testing.TB) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		left := ""
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "net/http.(*conn)") || strings.Contains(stack, "internal/serve.(*") && !strings.Contains(stack, "testing.tRunner") {
				left = stack
			}
		}
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a goroutine is left:\n%s", left)
		}
		time.Sleep(time.Millisecond)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// An answer is a response that was read.
type answer struct {
	*http.Response
	body []byte
}

// json decodes the answer.
func (a answer) json(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// problem returns the answer's problem.
func (a answer) problem(t testing.TB) (p problem) {
	t.Helper()
	if media := a.Header.Get("Content-Type"); media != "application/problem+json" {
		t.Fatalf("status %d, %s: %.200q", a.StatusCode, media, a.body)
	}
	a.json(t, &p)
	return p
}

// request returns a request, with headers as "Name: value".
func (s *testServer) request(method, path string, body []byte, headers ...string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body == nil {
		r.Body, r.GetBody, r.ContentLength = nil, nil, 0
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// do sends a request that is as the contract wants it, and reads the answer,
// which must be, too.
func (s *testServer) do(status int, method, path string, body []byte, headers ...string) answer {
	s.t.Helper()
	r := s.request(method, path, body, headers...)
	router, err := contract()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx := context.Background()
	asked := r.Clone(ctx)
	if r.GetBody != nil {
		asked.Body, _ = r.GetBody()
	}
	asked.URL.Scheme, asked.URL.Host = "", ""
	route, parameters, routeErr := router.FindRoute(asked)
	input := &openapi3filter.RequestValidationInput{Request: asked, PathParams: parameters, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, ExcludeRequestBody: len(r.Header.Get("Content-Type")) == 0,
	}}
	if routeErr == nil {
		routeErr = openapi3filter.ValidateRequest(ctx, input)
	}
	if routeErr != nil {
		s.t.Errorf("%s %s: not a request by the contract: %v", r.Method, r.URL, routeErr)
	}
	response, err := s.http.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{response, got}
	if response.StatusCode != status {
		s.t.Fatalf("%s %s: status %d, want %d: %.500s", r.Method, r.URL, response.StatusCode, status, got)
	}
	if route != nil {
		if err := openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: status, Header: response.Header, Body: io.NopCloser(bytes.NewReader(got)), Options: input.Options,
		}); err != nil {
			s.t.Errorf("%s %s: not an answer by the contract: %v\n%.500s", r.Method, r.URL, err, got)
		}
	}
	return a
}

// photo returns a PNG of a landscape: sky, sun and sea, by its number.
func photo(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 96, 64))
	for y := range 64 {
		for x := range 96 {
			c := color.NRGBA{uint8(90 + y), uint8(130 + n%50 + y/2), 230, 255}
			if y > 40 {
				c = color.NRGBA{20, uint8(60 + n%90), uint8(120 + x/4), 255}
			} else if dx, dy := x-20-n%40, y-15; dx*dx+dy*dy < 60 {
				c = color.NRGBA{255, 220, uint8(n), 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encode returns the file of a picture.
func (s *testServer) encode(n int, query string) []byte {
	s.t.Helper()
	return s.do(http.StatusOK, "POST", "/v1/encode"+query, photo(s.t, n), "Content-Type: image/png").body
}

// post posts a file for painting, and returns the decode.
func (s *testServer) post(status int, query string, file []byte, headers ...string) (d decodeJSON) {
	s.t.Helper()
	a := s.do(status, "POST", "/v1/decodes"+query, file, append(headers, "Content-Type: "+fileType)...)
	a.json(s.t, &d)
	if want := "/v1/decodes/" + d.ID; a.Header.Get("Location") != want {
		s.t.Errorf("Location %q, want %q", a.Header.Get("Location"), want)
	}
	return d
}

// slow is a query for a painting that does not end by itself in a test.
const slow = "?steps=1000&strength=1&size=256"

func TestMain(m *testing.M) {
	raiseFileLimit()
	os.Exit(m.Run())
}

// corpus returns a file of a codec's.
func corpus(t *testing.T, c *codec.Codec) []byte {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(photo(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.Encode(t.Context(), img, nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
