package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// cutAfter serves the first n bytes of a requested file and hangs up.
func cutAfter(f *hubtest.Hub, n int) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet {
			return false
		}
		http.ServeContent(&cutting{w, n}, r, "", time.Time{}, bytes.NewReader(f.Files[path]))
		return true
	}
}

// lost bounds the bytes that a server has counted but not sent when it hangs
// up, for all cuts of a test.
const lost = 9 * 4096

type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.ResponseWriter.Write(p[:c.left])
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

// TestCuts: a download whose connection is cut again and again goes on as long
// as it makes progress, and no byte comes twice.
func TestCuts(t *testing.T) {
	f := newHub(t)
	f.Serve = cutAfter(f, 40_000)
	mustPull(t, client(f, t))
	if n := f.Sent(unet); n > int64(len(f.Files[unet]))+lost {
		t.Errorf("%d bytes sent of a file of %d", n, len(f.Files[unet]))
	}
	if n := f.Gets(unet); n < 5 || n > 6 {
		t.Errorf("%d requests", n)
	}
}

// TestResume: a download that has failed is resumed by the next pull.
func TestResume(t *testing.T) {
	f := newHub(t)
	const (
		cut = iota
		dead
		well
	)
	var state atomic.Int32
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet || state.Load() == well {
			return false
		}
		if state.Swap(dead) == dead {
			panic(http.ErrAbortHandler)
		}
		return cutAfter(f, 100_000)(w, r, path)
	}
	c := client(f, t)
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), unet) {
		t.Fatalf("error %v", err)
	}
	state.Store(well)
	p, _ := mustPull(t, c)
	if n := f.Sent(unet); n > int64(len(f.Files[unet]))+lost {
		t.Errorf("%d bytes sent of a file of %d", n, len(f.Files[unet]))
	}
	if p.Left() > unetSize-100_000+lost {
		t.Errorf("the plan has %d bytes left", p.Left())
	}
}

// TestResumeOnOtherBytes: what an earlier download has left is not the hub's.
func TestResumeOnOtherBytes(t *testing.T) {
	f := newHub(t)
	for _, left := range [][]byte{hubtest.Noise(1000, 99), hubtest.Noise(400_000, 99), hubtest.Noise(unetSize, 99)} {
		c := client(f, t)
		part := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet])+".incomplete")
		if err := errors.Join(os.MkdirAll(filepath.Dir(part), 0o777), os.WriteFile(part, left, 0o666)); err != nil {
			t.Fatal(err)
		}
		_, dir := mustPull(t, c)
		if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
			t.Errorf("with %d other bytes: wrong file", len(left))
		}
	}
}

// TestNoRanges: a server that ignores ranges and sends everything.
func TestNoRanges(t *testing.T) {
	f := newHub(t)
	first := true
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		r.Header.Del("Range")
		if path == unet && first {
			first = false
			return cutAfter(f, 100_000)(w, r, path)
		}
		return false
	}
	_, dir := mustPull(t, client(f, t))
	if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
		t.Error("wrong file")
	}
}

// TestBusy: a server that is busy is asked again.
func TestBusy(t *testing.T) {
	f := newHub(t)
	var asked atomic.Int32
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if asked.Add(1) > 3 {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable}[asked.Load()%3])
		return true
	}
	mustPull(t, client(f, t))
}

// TestRetryAfter: a busy server is asked again when it wants, which it says in
// seconds or as a date, or not at all if that is long.
func TestRetryAfter(t *testing.T) {
	now := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	date := func(d time.Duration) func() string { return func() string { return now(d) } }
	text := func(s string) func() string { return func() string { return s } }
	for _, c := range []struct {
		after func() string
		skew  time.Duration // of the server's clock
		waits bool          // at least a second
		says  string
	}{
		{after: text("2"), waits: true},
		{after: date(3 * time.Second), waits: true}, // dates have whole seconds
		{after: date(time.Hour + 3*time.Second), skew: time.Hour, waits: true},
		{after: date(-time.Hour)}, {after: text("-3")}, {after: text("soon")},
		{after: text("900"), says: `429 Too Many Requests: try again after (20[0-9]{2}-[01][0-9]-[0-3][0-9] )?[0-2][0-9]:[0-5][0-9]$`},
		{after: date(48 * time.Hour), says: `try again after 20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]$`},
		{after: text("99999999999999999999"), says: `try again after 2[0-9]{3}-`},
	} {
		f := newHub(t)
		var asked atomic.Int32
		f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
			if asked.Add(1) > 1 {
				return false
			}
			w.Header().Set("Retry-After", c.after())
			w.Header().Set("Date", now(c.skew))
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		begun := time.Now()
		_, _, err := pull(client(f, t), hub.Everything)
		took := time.Since(begun)
		if c.says == "" && (err != nil || c.waits && took < time.Second) {
			t.Errorf("Retry-After %s: %v after %v", c.after(), err, took)
		}
		if c.says != "" && (err == nil || !regexp.MustCompile(c.says).MatchString(err.Error())) { // asked again, it would serve
			t.Errorf("Retry-After %s: %v, want %q", c.after(), err, c.says)
		}
	}
}

// TestSlow: if a server stops in the middle, the rest is requested again. One
// that never answers is an error.
func TestSlow(t *testing.T) {
	f := newHub(t)
	first := true
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet || !first {
			return false
		}
		first = false
		w.Header().Set("Content-Length", fmt.Sprint(unetSize))
		w.Write(f.Files[path][:50_000])
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}
	c := client(f, t)
	c.Stall = 3 * time.Second // more than a busy machine takes, or more bytes are sent
	mustPull(t, c)
	if n := f.Sent(unet); n != unetSize {
		t.Errorf("%d bytes sent", n)
	}
	f.API = func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	c = client(f, t)
	c.Stall = 300 * time.Millisecond
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.HasSuffix(err.Error(), ": no answer: try again later") {
		t.Errorf("error %v", err)
	}
}

// TestDrip: a byte now and then does not count as progress.
func TestDrip(t *testing.T) {
	f := newHub(t)
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		for path == unet && r.Context().Err() == nil {
			w.Write([]byte("x"))
			http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
		return path == unet
	}
	c := client(f, t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, err := c.Plan(ctx, repo, "main", hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	c.Stall = 300 * time.Millisecond
	if _, err := c.Pull(ctx, p, nil); err == nil || ctx.Err() != nil {
		t.Errorf("error %v", err)
	} else if want := "127.0.0.1:"; !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), ": try again later") {
		t.Errorf("%v does not name the host and what to do", err)
	}
	// A slow machine may give up an attempt before the redirect.
	if n := f.Gets(unet); n < 1 || n > 5 {
		t.Errorf("%d connections", n)
	}
}

// TestTwoPulls: pulls at the same time succeed, and each file comes once.
func TestTwoPulls(t *testing.T) {
	f := newHub(t)
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		time.Sleep(50 * time.Millisecond)
		return false
	}
	a := client(f, t)
	b := client(f, t)
	b.Cache = a.Cache
	var waits atomic.Int32
	a.Waiting = func(string) { waits.Add(1) }
	b.Waiting = a.Waiting
	var wg sync.WaitGroup
	for _, c := range []*hub.Client{a, b, a} {
		wg.Go(func() {
			if _, _, err := pull(c, hub.Everything); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, path := range want {
		if n := f.Gets(path); n > 1 {
			t.Errorf("%s came %d times", path, n)
		}
	}
	if waits.Load() == 0 {
		t.Error("nobody was told that a pull waits for another")
	}
}

// TestInterrupt: what has come is kept for the next pull.
func TestInterrupt(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	ctx, cancel := context.WithCancel(context.Background())
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(unetSize))
		w.Write(f.Files[path][:50_000])
		http.NewResponseController(w).Flush()
		part := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet])+".incomplete")
		for range 1000 { // until the client has written them
			if info, err := os.Stat(part); err == nil && info.Size() == 50_000 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		<-r.Context().Done()
		return true
	}
	p, err := c.Plan(ctx, repo, "main", hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pull(ctx, p, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	p, err = c.Plan(context.Background(), repo, "main", hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range p.Files {
		if item.Path == unet && item.Have != 50_000 {
			t.Errorf("the cache has %d bytes of the UNet", item.Have)
		}
	}
}

// TestStaleAddress: the second host refuses an address whose signature has
// expired, once before the first byte and once in the middle. The hub is asked
// for another, and the download resumes.
func TestStaleAddress(t *testing.T) {
	f := newHub(t)
	requests := 0
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet {
			return false
		}
		switch requests++; requests {
		case 1, 3:
			w.WriteHeader(http.StatusForbidden)
			return true
		case 2:
			return cutAfter(f, 100_000)(w, r, path)
		}
		return false
	}
	mustPull(t, client(f, t))
	if requests != 4 {
		t.Errorf("%d requests", requests)
	}
	if n := f.Sent(unet); n > unetSize+lost {
		t.Errorf("%d bytes sent of a file of %d", n, unetSize)
	}
}
