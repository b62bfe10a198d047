package serve

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clients is the number of clients of the load tests.
const clients = 200

// TestLoad: 200 clients encode and paint at once. Every answer is right, none is
// lost, one painting is made at a time, and refused paintings are done when they
// are tried again.
func TestLoad(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Queue, c.Limits.ClientQueue = 8, 8 })
	var want [10][]byte
	for i := range want {
		want[i] = s.encode(i, "")
	}
	var all sync.WaitGroup
	var refused atomic.Int64
	for n := range clients {
		all.Go(func() {
			i := n % len(want)
			for range 2 {
				if got := readDo(t, s, s.request("POST", "/v1/encode", photo(t, i), "Content-Type: image/png")); got.StatusCode != 200 || !bytes.Equal(got.body, want[i]) {
					t.Errorf("client %d: status %d: %.200q", n, got.StatusCode, got.body)
				}
			}
			for n%5 == 0 {
				got := readDo(t, s, s.request("POST", fmt.Sprintf("/v1/decodes?steps=2&size=32&seed=%d", n), want[i], "Content-Type: "+fileType, "Prefer: wait=300"))
				if got.StatusCode == http.StatusTooManyRequests {
					refused.Add(1)
					time.Sleep(time.Millisecond) // a client of good manners waits for Retry-After
					continue
				}
				if got.StatusCode != 200 || !strings.Contains(string(got.body), `"state":"done"`) {
					t.Errorf("client %d: status %d: %.200q", n, got.StatusCode, got.body)
				}
				break
			}
		})
	}
	all.Wait()
	t.Logf("%d posts were refused for a while", refused.Load())
	if !s.bodies.TryAcquire(s.Limits.BodyMemory) || !s.pictures.TryAcquire(s.Limits.PictureMemory) || s.encodes.free != s.Limits.Encodes {
		t.Error("something is still held")
	}
}

// BenchmarkLoad has 200 clients encode, while paintings are made one after the
// other: go test -run '^$' -bench Load -benchtime 60s ./cmd/internal/serve. It
// reports encodes and paintings a second, how long an encode takes, and the most
// memory that the process, clients included, has had.
func BenchmarkLoad(b *testing.B) {
	s := start(b, nil)
	file := s.encode(1, "")
	body, err := os.ReadFile("../../../codec/testdata/photos/coffee.jpg")
	if err != nil {
		b.Fatal(err)
	}
	stop := make(chan struct{})
	var painter sync.WaitGroup
	paintings := 0
	painter.Go(func() {
		for ; ; paintings++ {
			select {
			case <-stop:
				return
			default:
				s.benchDo(b, fmt.Sprintf("/v1/decodes?seed=%d", paintings), fileType, file)
			}
		}
	})
	var next atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	b.ResetTimer()
	for range clients {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				start := time.Now()
				s.benchDo(b, "/v1/encode", "image/jpeg", body)
				mu.Lock()
				took = append(took, time.Since(start))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	elapsed := b.Elapsed().Seconds()
	b.StopTimer()
	close(stop)
	painter.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/elapsed, "encodes/s")
	b.ReportMetric(float64(paintings)/elapsed, "paintings/s")
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(peakMemory())/(1<<20), "peak-MiB")
}

func (s *testServer) benchDo(b *testing.B, path, mediaType string, body []byte) {
	response, err := s.http.Do(s.request("POST", path, body, "Content-Type: "+mediaType, "Prefer: wait=300"))
	if err != nil {
		b.Error(err)
		return
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 200 {
		b.Errorf("%s: status %d: %.200q (%v)", path, response.StatusCode, text, err)
	}
}

// peakMemory returns the most bytes that the process has had in memory, or 0 if
// the system does not say.
func peakMemory() (n int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &n); err != nil {
		return 0
	}
	return n << 10
}
