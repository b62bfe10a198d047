package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// parsed returns a parsed file.
func parsed(t *testing.T) *codec.File {
	t.Helper()
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := codec.Parse(corpus(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// dial connects without package http.
func (s *testServer) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// raw sends text and returns the answer.
func (s *testServer) raw(text string) answer {
	s.t.Helper()
	c := s.dial()
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return readAnswer(s.t, response)
}

// TestSlowLoris: a body that does not come in its time is given up, and whoever
// sends it holds nothing that others need meanwhile.
func TestSlowLoris(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.BodyTime = time.Second })
	var slow []net.Conn
	for range 50 {
		c := s.dial()
		fmt.Fprintf(c, "POST /v1/encode HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 60000000\r\n\r\n\x89PNG")
		slow = append(slow, c)
	}
	s.encode(1, "") // of 50 bodies of 60 MB, 512 MiB could not hold 9
	for _, c := range slow {
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := readAnswer(t, response); a.StatusCode != 408 || a.problem(t).Type != "urn:coclico:problem:slow" || !a.Close {
			t.Fatalf("status %d, %s", a.StatusCode, a.body)
		}
	}
	if !s.bodies.TryAcquire(s.Limits.BodyMemory) {
		t.Error("bodies that were given up are in memory")
	}
	s.bodies.Release(s.Limits.BodyMemory)
	c := s.dial() // a form that does not end, after its picture
	fmt.Fprintf(c, "POST /v1/encode HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 60000\r\n\r\n"+
		"--x\r\nContent-Disposition: form-data; name=picture\r\n\r\n%s\r\n--x\r\n", photo(t, 1))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := readAnswer(t, response); a.StatusCode != 408 {
		t.Errorf("a form that does not end: status %d, %s", a.StatusCode, a.body)
	}
	c = s.dial() // a header that does not end
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("the connection is not closed: %v", err)
	}
}

// TestHugeBodies: bodies are read no further than the limit, announced or not.
func TestHugeBodies(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Body, c.Limits.BodyMemory = 1<<20, 8<<20 })
	for _, head := range []string{
		"Content-Length: 2000000\r\n\r\n", "Content-Length: 9000000000000000000\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n200000\r\n" + strings.Repeat("x", 0x200000) + "\r\n0\r\n\r\n",
	} {
		c := s.dial()
		go io.WriteString(c, "POST /v1/encode HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"+head+strings.Repeat("x", 2_000_000))
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := readAnswer(t, response); a.StatusCode != 413 || !strings.Contains(a.problem(t).Detail, "at most 1048576 bytes; --max-body allows more") && !strings.Contains(a.problem(t).Detail, "at most 1048576; --max-body allows more") {
			t.Errorf("%.40q: %d, %s", head, a.StatusCode, a.body)
		}
	}
	if p := s.do(413, "POST", "/v1/decodes", make([]byte, maxFile+1), "Content-Type: "+fileType).problem(t); p.Type != "urn:coclico:problem:body-too-large" {
		t.Errorf("a file of a megabyte: %+v", p)
	}
	s.bodies.Acquire(t.Context(), s.Limits.BodyMemory) // others have it all
	a := s.do(503, "POST", "/v1/encode", photo(t, 1), "Content-Type: image/png")
	if p := a.problem(t); p.Type != "urn:coclico:problem:busy" || a.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	s.bodies.Release(s.Limits.BodyMemory)
	s.encode(1, "")
}

// TestExpect: a client that asks first is not told to send what is too large.
func TestExpect(t *testing.T) {
	s := start(t, nil)
	for path, media := range map[string]string{"encode": "image/png", "encode?": "multipart/form-data; boundary=x", "decodes": fileType} {
		a := s.raw("POST /v1/" + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + media + "\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
		if a.StatusCode != 413 || !a.Close || !strings.Contains(a.problem(t).Detail, "99999999999 bytes: at most ") {
			t.Errorf("%s: status %s, %v %s", path, a.Status, a.Header, a.body)
		}
	}
}

// TestBombs: small bodies that announce large pictures are refused for what they
// announce, before any pixel.
func TestBombs(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.OnePicture = 600 << 20 })
	for _, c := range []struct {
		w, h   uint32
		status int
		says   string
	}{
		{20_000, 6_000, 413, "20000 x 6000 pixels: at most 100000000; --max-pixels allows more"},
		{9_500, 9_500, 413, "9500 x 9500 pixels take 602 MiB of memory to encode: the server has 600 MiB, scale it down first"},
		{60_000, 60_000, 413, "at most 268435456 pixels"},
		{1 << 30, 1 << 30, 422, "overflow"},
		{9_000, 9_000, 422, "cut short"},
		{0, 5, 422, ""},
	} {
		p := s.do(c.status, "POST", "/v1/encode", pngHead(c.w, c.h), "Content-Type: image/png").problem(t)
		if !strings.Contains(p.Detail, c.says) {
			t.Errorf("%d x %d: %+v", c.w, c.h, p)
		}
	}
	for _, body := range []string{"", "GIF89a", "\xff\xd8\xff", "not a picture", strings.Repeat("\x00", 1000), "RIFF\x00\x00\x00\x00WEBPVP8 "} {
		if p := s.unchecked(422, s.request("POST", "/v1/encode", []byte(body), "Content-Type: image/png")).problem(t); p.Type != "urn:coclico:problem:picture" {
			t.Errorf("%q: %+v", body, p)
		}
	}
	s.unchecked(415, s.request("POST", "/v1/encode", photo(t, 1), "Content-Type: text/plain")).problem(t)
	s.unchecked(415, s.request("POST", "/v1/decodes", photo(t, 1), "Content-Type: application/x-www-form-urlencoded")).problem(t)
	s.unchecked(415, s.request("POST", "/v1/decodes", photo(t, 1), "Content-Type: ;;")).problem(t)
}

// pngHead returns the beginning of a PNG of some size.
func pngHead(w, h uint32) []byte {
	head := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	head[12], head[13] = 8, 2
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

// TestCorruptFiles: a corrupt file of any kind is the client's fault, found when
// it is posted.
func TestCorruptFiles(t *testing.T) {
	s := start(t, nil)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	good := [][]byte{s.encode(1, ""), s.encode(1, "?profile=paper"), s.encode(1, "?fit=whole&bytes=300")}
	for i := range 400 {
		data := bytes.Clone(good[i%len(good)])
		switch r.IntN(4) {
		case 0:
			data = data[:r.IntN(len(data))]
		case 1:
			data = append(data, byte(r.Uint32()))
		case 2:
			data = make([]byte, r.IntN(300))
			for j := range data {
				data[j] = byte(r.Uint32())
			}
		default:
			data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		}
		a := readDo(t, s, s.request("POST", "/v1/decodes?steps=1&size=8", data, "Content-Type: "+fileType))
		switch a.StatusCode {
		case 200, 202: // still a file
			var d decodeJSON
			a.json(t, &d)
			s.deleted(d.ID, "")
		case 400, 422:
			a.problem(t)
		default:
			t.Errorf("%x: status %d: %s", data, a.StatusCode, a.body)
		}
	}
	other := bytes.Clone(good[0])
	for i := range 16 { // the model's ID is in the first bytes
		data := bytes.Clone(other)
		data[i/8] ^= 1 << (i % 8)
		a := readDo(t, s, s.request("POST", "/v1/decodes?any_model=true&steps=1&size=8", data, "Content-Type: "+fileType, "Prefer: wait=60"))
		if a.StatusCode != 200 && a.StatusCode != 422 && a.StatusCode != 400 {
			t.Errorf("%x: status %d: %s", data, a.StatusCode, a.body)
		}
	}
}

func readDo(t testing.TB, s *testServer, r *http.Request) answer {
	t.Helper()
	response, err := s.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, response)
}

// TestStrangers: what a browser would send for another site, or to a name that
// is not the server's, is refused; so are requests without the token.
func TestStrangers(t *testing.T) {
	s := start(t, func(c *Config) { c.AllowHosts = []string{"pictures.example"} })
	for host, status := range map[string]int{"localhost": 200, "127.0.0.1:1": 200, "pictures.example": 200, "evil.example": 403, "": 403, "localhost.evil.example": 403, "[::1]": 200} {
		a := s.raw("GET /v1/info HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
		if a.StatusCode != status {
			t.Errorf("Host %q: status %d, want %d: %s", host, a.StatusCode, status, a.body)
		}
		if status == 403 && host != "" && !strings.Contains(a.problem(t).Detail, "--allow-host") {
			t.Errorf("Host %q: %s", host, a.body)
		}
	}
	a := s.raw("GET /healthz HTTP/1.1\r\nHost: 10.1.2.3\r\nConnection: close\r\n\r\n") // a probe
	if a.StatusCode != 200 {
		t.Errorf("/healthz: status %d", a.StatusCode)
	}
	body := photo(t, 1)
	for _, header := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: null"} {
		s.unchecked(403, s.request("POST", "/v1/encode", body, "Content-Type: image/png", header)).problem(t)
		s.unchecked(403, s.request("DELETE", "/v1/decodes/x", nil, header)).problem(t)
	}
	for _, header := range []string{"Origin: " + s.url, "Sec-Fetch-Site: same-origin"} {
		s.unchecked(200, s.request("POST", "/v1/encode", body, "Content-Type: image/png", header))
	}
}

// TestPathTricks: odd paths are not found or redirected, and nothing else.
func TestPathTricks(t *testing.T) {
	s := start(t, nil)
	for _, path := range []string{
		"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/v1/../../etc/passwd", "//etc/passwd", "/page.go", "/.git/config",
		"/v1/decodes/../../etc", "/v1/decodes/..%2f..%2fetc/picture.png", "/v1/decodes/%00/picture.png", "/v1/decodes/" + strings.Repeat("a", 5000), "/index.html/", "/v1/decodes/x/picture.png/", "/debug/pprof/", "/metrics",
	} {
		a := s.raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if a.StatusCode != 404 && a.StatusCode != 307 && a.StatusCode != 301 {
			t.Errorf("%s: status %d: %.100s", path, a.StatusCode, a.body)
		}
		if bytes.Contains(a.body, []byte("root:")) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

// TestHalfOpen: thousands of streams whose clients read nothing cost the others
// nothing, and end when their decode does. More than the limit are refused.
func TestHalfOpen(t *testing.T) {
	n := min(10_000, (fileLimit()-200)/2) // a file at each end
	if testing.Short() {
		n = min(n, 500)
	}
	s := start(t, func(c *Config) { c.Limits.Streams, c.Limits.Connections = n, 2*n+100 })
	d := s.post(202, slow, s.encode(1, ""))
	streams := make([]net.Conn, n)
	before := inUse()
	for i := range streams {
		streams[i] = s.dial()
		fmt.Fprintf(streams[i], "GET /v1/decodes/%s/events HTTP/1.1\r\nHost: localhost\r\n\r\n", d.ID)
	}
	for int(s.streams.Load()) < n {
		time.Sleep(time.Millisecond)
	}
	t.Logf("%d streams are open, of %d bytes each, their clients included", n, (inUse()-before)/int64(n))
	if p := s.do(503, "GET", "/v1/decodes/"+d.ID+"/events", nil).problem(t); p.Type != "urn:coclico:problem:busy" {
		t.Errorf("%+v", p)
	}
	for i := range streams[:n/2] { // half of the clients vanish
		streams[i].Close()
	}
	s.encode(2, "")
	if now := s.do(200, "GET", "/v1/decodes/"+d.ID, nil); !strings.Contains(string(now.body), `"state":"running"`) {
		t.Errorf("%s", now.body)
	}
	s.deleted(d.ID, "")
	for s.streams.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// inUse returns the bytes of the heap and of stacks.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestVanishedClients: clients that leave while they wait for an encode or a
// decode leave nothing behind, and the server goes on.
func TestVanishedClients(t *testing.T) {
	s := start(t, nil)
	file, body := s.encode(1, ""), photo(t, 1)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			c := s.dial()
			if i%2 == 0 {
				fmt.Fprintf(c, "POST /v1/encode?candidates=16 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			} else {
				fmt.Fprintf(c, "POST /v1/decodes HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=100\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", fileType, len(file), file)
			}
			c.Close()
		})
	}
	all.Wait()
	if d := s.post(200, "", file, "Prefer: wait=100"); d.State != done {
		t.Errorf("%+v", d)
	}
	s.encode(3, "")
}

// TestHalfClosed: who closes its half of the connection while it waits is told so,
// and gets nothing that looks like a file.
func TestHalfClosed(t *testing.T) {
	s := start(t, nil)
	defer occupy(t, s.Server)() // others are at work
	body := photo(t, 1)
	c := s.dial()
	fmt.Fprintf(c, "POST /v1/encode HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := readAnswer(t, response); a.StatusCode != 499 || a.problem(t).Type != "urn:coclico:problem:client-left" {
		t.Fatalf("status %d, %q", a.StatusCode, a.body)
	}
	for !strings.Contains(s.log.String(), `"status":499`) {
		time.Sleep(time.Millisecond)
	}
}

// A fewReads is a picture whose client leaves while it is decoded.
type fewReads struct {
	*bytes.Reader
	left  int // reads until then
	leave func()
}

func (f *fewReads) Read(p []byte) (int, error) {
	if f.left--; f.left == 0 {
		f.leave()
	}
	return f.Reader.Read(p[:min(len(p), 512)])
}

// TestDecoderEnds: a picture's decoder ends with the request, though it knows no
// context.
func TestDecoderEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	noise := image.NewGray(image.Rect(0, 0, 200, 200))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(rand.Uint32())
	}
	var data bytes.Buffer
	if err := png.Encode(&data, noise); err != nil {
		t.Fatal(err)
	}
	source := &fewReads{Reader: bytes.NewReader(data.Bytes()), left: -1, leave: cancel}
	p, err := picture.Open(cancelable{source, ctx})
	if err != nil {
		t.Fatal(err)
	}
	source.left = 3
	if _, err := p.Image(); err != context.Canceled || source.left < 0 {
		t.Errorf("error %v, %d reads after the end", err, -source.left)
	}
	s := start(t, nil)
	if _, err := s.encodeBody(ctx, &body{data: data.Bytes()}, new(options.Encoding), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
