package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/guard"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/codec"
)

// TestPanic: a handler that panics is answered with status 500, or, if its answer
// has begun, with the end of the connection.
func TestPanic(t *testing.T) {
	log := new(lockedBuffer)
	s, _ := secureServer(t, func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(log, nil)) })
	server := httptest.NewServer(s.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			fmt.Fprint(w, "a part")
			_ = http.NewResponseController(w).Flush()
		}
		panic("bad")
	})))
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %s", resp.Status)
	}
	if resp, err = http.Get(server.URL + "/begun"); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if part, err := io.ReadAll(resp.Body); string(part) != "a part" || err == nil {
		t.Errorf("%q ends like a whole answer", part)
	}
	if n := strings.Count(log.String(), `"level":"ERROR"`); n != 2 {
		t.Errorf("%d errors in the log, want 2:\n%s", n, log)
	}
}

// TestContestPanic: the error of candidates that panic names the place, for the log.
func TestContestPanic(t *testing.T) {
	c := &contest{ctx: t.Context(), done: make(chan struct{})} // of no picture
	c.run(t.Context())
	if c.err == nil || !strings.HasPrefix(c.err.Error(), "panic: ") || !strings.Contains(c.err.Error(), "codec.(*Embedded).Encode") {
		t.Errorf("error %v", c.err)
	}
}

// TestPanicked: the error of a panic has one place, that of the goroutine which was
// the first to panic.
func TestPanicked(t *testing.T) {
	traced := fmt.Errorf("bad\n\n%s", debug.Stack())
	for _, value := range []any{"bad", traced} {
		text := panicked(value).Error()
		if !strings.HasPrefix(text, "panic: bad\n") || strings.Count(text, "\ngoroutine ") != 1 || !strings.Contains(text, "TestPanicked") {
			t.Errorf("%s", text)
		}
	}
}

// TestLittleMemory: memory that the system refuses is answered with status 503, and
// is an error in the log.
func TestLittleMemory(t *testing.T) {
	log := new(lockedBuffer)
	s, _ := secureServer(t, func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(log, nil)) })
	const says = "not enough memory for 8 x 8 pixels"
	w := httptest.NewRecorder()
	s.observe(s.answer(func(http.ResponseWriter, *http.Request) error { return codec.MemoryError(says) })).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "" || p.Type != "urn:coclico:problem:memory" || p.Detail != says {
		t.Errorf("status %d, %s (%v)", w.Code, w.Body, err)
	}
	if l := log.String(); strings.Count(l, `"level":"ERROR"`) != 1 || !strings.Contains(l, says) {
		t.Errorf("the log has\n%s", l)
	}
}

// secureServer returns a server with the built-in model whose painter does not
// work, and its handler.
func secureServer(t *testing.T, change func(*Config)) (*Server, http.Handler) {
	t.Helper()
	model, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close() })
	id, err := model.ModelID()
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Model:   Model{Codec: model, ID: id, Name: "built-in", Label: "built-in 1", BuiltIn: true, Encodes: true, Decodes: true, Side: 128},
		Version: "test", Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.decodes.close)
	hosts, err := guard.NewHosts(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7788}, c.AllowHosts)
	if err != nil {
		t.Fatal(err)
	}
	return s, s.handler(hosts)
}

// secureFile returns a file of the built-in model.
func secureFile(t *testing.T, s *Server) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	data, err := s.Model.Codec.Encode(t.Context(), img, &codec.EncodeOptions{Profile: codec.Tuned})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func secureRequest(h http.Handler, method, target string, body io.Reader, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	r.Host = "localhost"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestIDCoversParameters: two decodes share a picture only if everything that
// the pixels depend on is the same.
func TestIDCoversParameters(t *testing.T) {
	s, _ := secureServer(t, nil)
	f, err := codec.Parse(secureFile(t, s))
	if err != nil {
		t.Fatal(err)
	}
	id := func(query url.Values) string {
		how, err := decodingOf(query)
		if err != nil {
			t.Fatalf("%v: %v", query, err)
		}
		return s.idOf(f, how)
	}
	seen := map[string]string{id(nil): "nothing"}
	values := map[string][]string{
		"steps": {"7"}, "guidance": {"2.5", "2.5000000000000004"}, "strength": {"0.5"}, "color-guidance": {"0.25"},
		"seed": {"9", "18446744073709551615"}, "size": {"64"}, "noise-level": {"3"}, "precision": {"exact"}, "no-projection": {"true"},
		"prompt": {"a fox", `a fox", negative prompt "a hen`, `a fox\n`, "a fox\n"}, "negative-prompt": {"a fox"},
		"sampler": {"ddim", "dpm++2m", "dpm++3m", "dpm++2m-sde", "unipc", "unipc3"}, "schedule": {"karras", "exponential"}, "guidance-rescale": {"0.7"},
		"guidance-interval": {"0.1-0.8", "0-0.8"}, "apg": {"0", "0.25", "0.5,1,0"},
	}
	flags := newFlags()
	options.Decode(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "any-model" {
			return // not about pixels; see TestAnyModelIsAsked
		}
		if len(values[f.Name]) == 0 {
			t.Errorf("--%s: no value to try", f.Name)
		}
		for _, v := range values[f.Name] {
			what := f.Name + " " + v
			key := id(url.Values{strings.ReplaceAll(f.Name, "-", "_"): {v}})
			if other, ok := seen[key]; ok {
				t.Errorf("%s: the ID of %s", what, other)
			}
			seen[key] = what
		}
	})
	kernels := s.kernels
	s.kernels += "x"
	if _, ok := seen[id(nil)]; ok {
		t.Error("other kernels: the same ID")
	}
	s.kernels = kernels
	s.Model.Label += "x"
	if _, ok := seen[id(nil)]; ok {
		t.Error("another model: the same ID")
	}
}

// TestAnyModelIsAsked: that one client wanted a file of another model painted
// does not serve it to who did not.
func TestAnyModelIsAsked(t *testing.T) {
	s, h := secureServer(t, nil)
	data := secureFile(t, s)
	other := bytes.Clone(data)
	other[1] ^= 1 // a bit of the model's ID
	if w := secureRequest(h, "POST", "/v1/decodes", bytes.NewReader(other), nil); w.Code != http.StatusUnprocessableEntity {
		t.Fatalf("file of another model: %d %s", w.Code, w.Body)
	}
	if w := secureRequest(h, "POST", "/v1/decodes?any_model=true", bytes.NewReader(other), nil); w.Code != http.StatusAccepted {
		t.Fatalf("any_model: %d %s", w.Code, w.Body)
	}
	if w := secureRequest(h, "POST", "/v1/decodes", bytes.NewReader(other), nil); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("file of another model, after somebody else's any_model: %d %s", w.Code, w.Body)
	}
}

// TestClientsOfOneDecode: posting a file again under ever new names takes no
// memory without a bound.
func TestClientsOfOneDecode(t *testing.T) {
	s, h := secureServer(t, nil)
	data := secureFile(t, s)
	var id string
	refused := false
	for i := range 5000 {
		w := secureRequest(h, "POST", fmt.Sprintf("/v1/decodes?client=c%d", i), bytes.NewReader(data), nil)
		if w.Code == http.StatusTooManyRequests {
			refused = true
			continue
		}
		var j struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &j); err != nil || j.ID == "" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		id = j.ID
	}
	if n := len(s.decodes.get(id).clients); n > 1024 {
		t.Errorf("a decode remembers %d clients (refused some: %t)", n, refused)
	}
}

// countedReader counts what is read of a body.
type countedReader struct {
	r io.Reader
	n int64
}

func (c *countedReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// TestFormOverhead: what a form has before its picture is little, in a field or in
// a field's header.
func TestFormOverhead(t *testing.T) {
	_, h := secureServer(t, func(c *Config) { c.Limits.Body = 8 << 20 })
	for _, head := range []string{"\r\n\r\n", "\r\nX-Long: "} {
		head = "--b\r\nContent-Disposition: form-data; name=junk" + head
		body := &countedReader{r: io.MultiReader(strings.NewReader(head), io.LimitReader(nothing{}, 64<<20))}
		w := secureRequest(h, "POST", "/v1/encode", body, func(r *http.Request) {
			r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
			r.ContentLength = -1
		})
		if w.Code < 400 || body.n > 2*multipartOverhead {
			t.Errorf("answer %d after %d bytes of junk were read", w.Code, body.n)
		}
	}
}

type nothing struct{}

func (nothing) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// TestSmallFields: many small fields before a form's picture are too large
// wherever the limit falls, and the picture is never said to be missing.
func TestSmallFields(t *testing.T) {
	_, h := secureServer(t, nil)
	statuses := map[int]int{}
	for n := 1150; n < 1250; n += 4 {
		var form strings.Builder
		for i := range n {
			fmt.Fprintf(&form, "--xx\r\nContent-Disposition: form-data; name=\"a%d\"\r\n\r\n\r\n", i)
		}
		form.WriteString("--xx\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\nnone\r\n--xx--\r\n")
		w := secureRequest(h, "POST", "/v1/encode", strings.NewReader(form.String()), func(r *http.Request) {
			r.Header.Set("Content-Type", "multipart/form-data; boundary=xx")
		})
		statuses[w.Code]++
		if w.Code == http.StatusRequestEntityTooLarge && (w.Header().Get("Connection") != "close" || !strings.Contains(w.Body.String(), "precede the field picture")) {
			t.Errorf("%d fields: %v %s", n, w.Header(), w.Body)
		}
	}
	if len(statuses) != 2 || statuses[http.StatusUnprocessableEntity] == 0 || statuses[http.StatusRequestEntityTooLarge] == 0 {
		t.Errorf("answers by status: %v, want 413, and 422 of the others' picture", statuses)
	}
}

// TestWaitHoldsNoBody: who waits for a picture holds none of the memory for
// bodies.
func TestWaitHoldsNoBody(t *testing.T) {
	s, h := secureServer(t, nil)
	data := secureFile(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		secureRequest(h, "POST", "/v1/decodes", bytes.NewReader(data), func(r *http.Request) {
			*r = *r.WithContext(ctx)
			r.Header.Set("Prefer", "wait=300")
		})
	}()
	for s.queue.len() == 0 {
		runtime.Gosched()
	}
	// All of it is free once the decode is known.
	if err := s.bodies.Acquire(ctx, s.Limits.BodyMemory); err == nil {
		s.bodies.Release(s.Limits.BodyMemory)
	}
	select {
	case <-ended:
		t.Error("the memory was free only after the client had left")
	default:
	}
	cancel()
	<-ended
}

// TestSlowBodies: a client that sends large bodies and does not finish them
// keeps others from nothing.
func TestSlowBodies(t *testing.T) {
	s, h := secureServer(t, func(c *Config) { c.Limits.Body, c.Limits.BodyMemory = 1<<20, 8<<20 })
	file := secureFile(t, s)
	from := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr = address + ":1" }
	}
	var bodies []*io.PipeWriter
	refused := make(chan int, 100)
	var work sync.WaitGroup
	for range 20 {
		r, w := io.Pipe()
		bodies = append(bodies, w)
		work.Go(func() {
			refused <- secureRequest(h, "POST", "/v1/encode", r, from("192.0.2.1")).Code
			r.Close()
		})
		w.Write(make([]byte, 900<<10)) // until it is read, or refused
	}
	if w := secureRequest(h, "POST", "/v1/decodes", bytes.NewReader(file), from("192.0.2.2")); w.Code != http.StatusAccepted {
		t.Errorf("another client's file: %d %s", w.Code, w.Body)
	}
	if len(refused) == 0 || len(refused) == len(bodies) {
		t.Errorf("%d of %d slow bodies were refused, want some", len(refused), len(bodies))
	}
	for len(refused) > 0 {
		if code := <-refused; code != http.StatusServiceUnavailable {
			t.Errorf("a slow body is refused with status %d", code)
		}
	}
	for _, w := range bodies {
		w.CloseWithError(io.ErrUnexpectedEOF)
	}
	work.Wait()
}

// TestLargeBodies: --max-body can be large: a body below it is read if nothing
// else is.
func TestLargeBodies(t *testing.T) {
	_, h := secureServer(t, func(c *Config) { c.Limits.Body = 200_000_000 })
	w := secureRequest(h, "POST", "/v1/encode", io.LimitReader(nothing{}, 140_000_000), nil)
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a body of 140 MB: %d %s", w.Code, w.Body)
	}
}

// TestWaits: when as many clients wait for decodes as may, the next one gets its
// answer at once.
func TestWaits(t *testing.T) {
	s, h := secureServer(t, func(c *Config) { c.Limits.Streams = 1 })
	s.waits.Add(1)
	w := secureRequest(h, "POST", "/v1/decodes", bytes.NewReader(secureFile(t, s)), func(r *http.Request) { r.Header.Set("Prefer", "wait=300") })
	if w.Code != http.StatusAccepted || s.waits.Load() != 1 {
		t.Errorf("%d %s; %d wait", w.Code, w.Body, s.waits.Load())
	}
}

// TestShares: what is freed can be taken, and who holds nothing takes no memory.
func TestShares(t *testing.T) {
	s := newShares(10)
	for _, step := range []struct {
		client string
		n      int64
		ok     bool
	}{{"a", 10, true}, {"a", 1, false}, {"b", 11, false}, {"b", 4, true}, {"b", 6, true}} {
		if got := s.take(step.client, step.n); got != step.ok {
			t.Errorf("%+v: %t", step, got)
		}
	}
	s.free("a", 4)
	if !s.take("a", 4) || s.take("a", 1) {
		t.Error("what was freed cannot be taken, or more than that")
	}
	s.free("a", 10)
	s.free("b", 10)
	if len(s.held) != 0 {
		t.Errorf("still held: %v", s.held)
	}
}
