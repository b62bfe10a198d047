package queue_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/codec/archive"
)

// A fake takes the time of an encode and none of the processor's.
type fake struct{ pause time.Duration }

func (f fake) Make(_ context.Context, o bucket.Object) (*archive.Row, error) {
	time.Sleep(f.pause)
	data := make([]byte, 112)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	return &archive.Row{Name: o.Name, Data: data, Width: 1, Height: 1, Size: o.Size, Time: o.Time}, nil
}

func (fake) Reads(context.Context, string) bool { return true }

func listing(n int) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for i := range n {
			if !yield(bucket.Object{Name: fmt.Sprintf("%04d/%08d.jpg", i/1000, i), Size: 1000, Time: time.Unix(int64(i), 0)}, nil) {
				return
			}
		}
	}
}

// simulate does a job of n pictures with fake encodes and so many workers, over a
// real queue and into a real folder. It returns the greatest depth of the queue.
func simulate(tb testing.TB, n, chunk, workers int, pause time.Duration) (depth int) {
	ctx := tb.Context()
	dir := tb.TempDir()
	out, err := bucket.Open(ctx, filepath.Join(dir, "out"))
	if err != nil {
		tb.Fatal(err)
	}
	j := &job.Job{Source: "mem://", Chunk: chunk, Model: "fake", Fingerprint: "01234567", Software: "test"}
	if _, err := job.Write(ctx, j, listing(n), out, nil); err != nil {
		tb.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	server, err := queue.Start(&queue.ServerOptions{Folder: filepath.Join(dir, "queue"), Address: netip.MustParseAddrPort("127.0.0.1:0"), Log: log})
	if err != nil {
		tb.Fatal(err)
	}
	defer server.Close()
	w := &worker.Worker{Job: j, Out: out, Maker: fake{pause}, Jobs: 1, Limit: time.Hour, Log: log, Origin: archive.Origin{Fingerprint: j.Fingerprint}}
	var group sync.WaitGroup
	const shared = 10 // workers of a connection, which in a fleet is in another process
	var nc *nats.Conn
	for i := range workers {
		if i%shared == 0 {
			if nc, err = server.Connect(ctx, nil); err != nil {
				tb.Fatal(err)
			}
			defer nc.Close()
		}
		p := &queue.Puller{Stream: queue.DefaultStream, Job: j, Out: out, Chunk: w.Chunk, Log: log}
		with := nc
		group.Go(func() {
			if err := p.Run(ctx, ctx, with); err != nil {
				tb.Error(err)
			}
		})
	}
	own, err := server.Connect(ctx, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer own.Close()
	f := &queue.Feeder{Stream: queue.DefaultStream, AckWait: queue.DefaultAckWait, Job: j, Out: out, Log: log, Progress: func(s queue.State) {
		depth = max(depth, s.Waiting+s.Working)
	}}
	if err := f.Run(ctx, own); err != nil {
		tb.Fatal(err)
	}
	group.Wait()
	missing, err := job.Missing(ctx, j, out)
	if err != nil || len(missing) > 0 {
		tb.Fatalf("%d chunks are missing, %v", len(missing), err)
	}
	return depth
}

// TestSimulation does a small job as the benchmarks do large ones.
func TestSimulation(t *testing.T) {
	if depth := simulate(t, 1000, 10, 20, 0); depth > 100 {
		t.Errorf("%d chunks in a queue for 100", depth)
	}
}

// BenchmarkOverhead measures what a queue, a worker and a bucket take of the
// processor for each picture, at 64 pictures a chunk.
func BenchmarkOverhead(b *testing.B) {
	const n = 64 * 200
	for b.Loop() {
		before := processor()
		start := time.Now()
		simulate(b, n, 64, 1, 0)
		each := (processor() - before).Seconds() / n
		b.ReportMetric(1e6*each, "cpu-us/picture")
		b.ReportMetric(1e6*time.Since(start).Seconds()/n, "us/picture")
		b.ReportMetric(100*each/0.015, "%-of-15ms")
	}
}

// BenchmarkMillion does a million pictures of 15 ms with a thousand chunks at
// work at a time.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		before := processor()
		depth := simulate(b, 1_000_000, 64, 1000, 15*time.Millisecond)
		b.ReportMetric(float64(depth), "depth")
		b.ReportMetric((processor() - before).Seconds(), "cpu-s")
		b.ReportMetric(peak(b), "peak-MB")
	}
}

// peak returns the most memory that the process has had.
func peak(b *testing.B) float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	kB, err := strconv.Atoi(string(regexp.MustCompile(`VmHWM:\s*([0-9]+) kB`).FindSubmatch(data)[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kB) / 1000
}
