package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/process"
)

// BenchmarkWorkers compares two workers of one thread each with one, by the time
// that passes and by the processors' time, which a loaded machine does not
// lengthen as much. By the latter, two workers need as long as the longer of them.
func BenchmarkWorkers(b *testing.B) {
	for b.Loop() {
		one, oneCPU := race(b, 1)
		two, twoCPU := race(b, 2)
		b.ReportMetric(one.Seconds()/two.Seconds(), "times-faster")
		b.ReportMetric(oneCPU.Seconds()/twoCPU.Seconds(), "times-faster-by-cpu")
		b.ReportMetric(1000*oneCPU.Seconds()/all, "cpu-ms/picture")
	}
}

// race does all pictures with so many shards at the same time. It returns the
// time that has passed, and the most of the processor's that one has taken.
func race(b *testing.B, shards int) (passed, processor time.Duration) {
	out := filepath.Join(b.TempDir(), "out")
	ctx := context.Background()
	to, err := bucket.Open(ctx, out)
	if err != nil {
		b.Fatal(err)
	}
	from, err := bucket.Open(ctx, pictures)
	if err != nil {
		b.Fatal(err)
	}
	m, err := openModel("")
	if err != nil {
		b.Fatal(err)
	}
	m.codec.Close()
	j := &job.Job{Source: from.URL(), Chunk: 20, Model: m.name, Fingerprint: m.fingerprint, Software: version()}
	if _, err := job.Write(ctx, j, from.List(ctx, ""), to, nil); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	var workers []*child
	for i := range shards {
		workers = append(workers, start(b, nil, "work", out, "--shard", fmt.Sprintf("%d/%d", i, shards)))
	}
	for _, w := range workers {
		if status := w.wait(); status != process.OK {
			b.Fatalf("status %d: %s", status, w.output())
		}
		state := w.cmd.ProcessState
		processor = max(processor, state.UserTime()+state.SystemTime())
	}
	return time.Since(began), processor
}
