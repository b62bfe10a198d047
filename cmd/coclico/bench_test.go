package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/coclico/internal/benchmark"
)

func TestBench(t *testing.T) {
	text := succeed(t, "bench", "--runs", "1")
	for _, want := range []string{"kernels ", "UNet, 2 latents of 16x16, fast", "VAE encode, 128x128", "VAE decode", "ViT, ", "exact", "attention", "a decode: about"} {
		if !strings.Contains(text, want) {
			t.Errorf("bench does not say %q:\n%s", want, text)
		}
	}
	var r benchmark.Report
	if err := json.Unmarshal([]byte(succeed(t, "bench", "--runs", "2", "--json", "--model", tinyModel(t))), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Networks) != 4 || r.Decode.Steps != 17 || r.Decode.Seconds <= 0 || r.Decode.LowMemory < r.Decode.Seconds || r.Start.FirstStep <= 0 {
		t.Errorf("report is %+v", r)
	}
	for _, n := range r.Networks {
		sum, flop := 0.0, 0.0
		for _, k := range n.Kinds {
			sum += k.Seconds
			flop += k.GFLOP
		}
		if math.Abs(sum-n.Shortest) > 1e-6+1e-3*n.Shortest || math.Abs(flop-n.GFLOP) > 1e-9 || n.GFLOP <= 0 || n.Median < n.Shortest || n.Runs != 2 {
			t.Errorf("%s: kinds of work are %g s and %g GFLOP: %+v", n.Name, sum, flop, n)
		}
	}
	fail(t, statusUsage, []string{"--runs 0"}, "bench", "--runs", "0")
	fail(t, statusUsage, nil, "bench", "extra")
	fail(t, statusFailed, []string{"nowhere"}, "bench", "--model", "nowhere")
}
