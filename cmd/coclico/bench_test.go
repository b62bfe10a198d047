package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/benchmark"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/weights"
)

func TestBench(t *testing.T) {
	text := succeed(t, "bench", "--runs", "1")
	for _, want := range []string{"kernels ", "UNet, 2 latents of 16x16, fast", "VAE encode, 128x128", "VAE decode", "ViT, ", "exact", "attention", "a decode: about"} {
		if !strings.Contains(text, want) {
			t.Errorf("bench does not print %q:\n%s", want, text)
		}
	}
	var r benchmark.Report
	if err := json.Unmarshal([]byte(succeed(t, "bench", "--runs", "2", "--json", "--model", tinyModel(t))), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Networks) != 4 || len(r.Absent) != 0 || r.Decode == nil || r.Start == nil {
		t.Fatalf("report is %+v", r)
	}
	if r.Decode.Steps != 17 || r.Decode.Seconds <= 0 || r.Decode.LowMemory < r.Decode.Seconds || r.Start.FirstStep <= 0 {
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
	fail(t, process.Usage, []string{"--runs 0"}, "bench", "--runs", "0")
	fail(t, process.Usage, nil, "bench", "extra")
	fail(t, process.Failed, []string{"nowhere"}, "bench", "--model", "nowhere")
}

// TestBenchConverted: bench measures the networks that a converted model has,
// and lists the others.
func TestBenchConverted(t *testing.T) {
	whole := tinyModel(t)
	for _, c := range []struct {
		flag     string
		networks []string
		absent   []weights.Part
	}{
		{"--constant-context", []string{"UNet", "VAE encode", "VAE decode", "ViT"}, nil},
		{"--decoder-only", []string{"UNet", "VAE encode", "VAE decode"}, []weights.Part{weights.ImageEncoder}},
		{"--encoder-only", []string{"ViT"}, []weights.Part{weights.UNet, weights.VAE}},
	} {
		t.Run(c.flag, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "converted")
			succeed(t, "models", "convert", whole, dir, c.flag)
			var r benchmark.Report
			if err := json.Unmarshal([]byte(succeed(t, "bench", "--runs", "1", "--json", "--model", dir)), &r); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, n := range r.Networks {
				name, _, _ := strings.Cut(n.Name, ",")
				names = append(names, name)
				if n.Shortest <= 0 || n.GFLOP <= 0 {
					t.Errorf("%s took %g s for %g GFLOP", n.Name, n.Shortest, n.GFLOP)
				}
			}
			if !slices.Equal(names, c.networks) || !slices.Equal(r.Absent, c.absent) {
				t.Errorf("networks %q, absent %q; want %q, %q", names, r.Absent, c.networks, c.absent)
			}
			decodes := slices.Contains(c.networks, "UNet")
			if (r.Start != nil) != decodes || (r.Decode != nil) != decodes {
				t.Errorf("start is %+v and decode %+v", r.Start, r.Decode)
			}
			if decodes && (r.Decode.Steps != 17 || r.Decode.Seconds <= 0 || r.Start.FirstStep <= 0) {
				t.Errorf("decode is %+v, start %+v", r.Decode, r.Start)
			}
			text := succeed(t, "bench", "--runs", "1", "--model", dir)
			for _, part := range c.absent {
				if !strings.Contains(text, "\nabsent   "+string(part)+":") {
					t.Errorf("bench does not list %s as absent:\n%s", part, text)
				}
			}
			if strings.Contains(text, "a decode: about") != decodes {
				t.Errorf("bench prints\n%s", text)
			}
		})
	}
}
