package vae

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

func TestParseConfigErrors(t *testing.T) {
	for _, c := range []struct{ in, err string }{
		{`{}`, ""},
		{`{"sample_size": [64, 96], "shift_factor": null}`, ""},
		{`{"act_fn": "relu"}`, `act_fn is "relu"`},
		{`{"_class_name": "AutoencoderTiny"}`, `_class_name is "AutoencoderTiny"`},
		{`{"down_block_types": ["AttnDownEncoderBlock2D"]}`, `down_block_types is "AttnDownEncoderBlock2D"`},
		{`{"block_out_channels": [32, 64]}`, `down_block_types is [DownEncoderBlock2D]`},
		{`{"block_out_channels": [33]}`, `norm_num_groups is 32`},
		{`{"block_out_channels": [32, 32, 32, 32, 32, 32, 32, 32, 32]}`, `it must be a list of 1 to 8`},
		{`{"layers_per_block": 0}`, `layers_per_block is 0`},
		{`{"layers_per_block": [2]}`, `layers_per_block is an array`},
		{`{"scaling_factor": 0}`, `scaling_factor is 0`},
		{`{"shift_factor": 0.1159}`, `shift_factor is 0.1159`},
		{`{"latent_channels": 1000000}`, `latent_channels is 1000000`},
	} {
		_, err := ParseConfig([]byte(c.in))
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.in, err, c.err)
		}
	}
}

// store writes a file of the tensors of a model, renamed, and opens it.
func store(t *testing.T, c Config, rename func(string) string) *weights.Store {
	t.Helper()
	rec := weights.Recorder()
	New(rec.Scope(), c)
	specs := rec.Requested()
	renamed := slices.Clone(specs)
	for i := range renamed {
		renamed[i].Name = rename(specs[i].Name)
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, renamed, func(i int, w io.Writer) error {
		_, err := w.Write(weights.SynthTensor(specs[i].Name, specs[i].Shape, 1).Data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "vae.safetensors")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := weights.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var oldNames = strings.NewReplacer(".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.")

// TestOldNames: names of the attention older than diffusers 0.17 load, and each
// half loads alone.
func TestOldNames(t *testing.T) {
	c := nntest.LoadConfig(t, "odd_single.json", ParseConfig)
	z := &nn.Tensor{N: 1, H: 3, W: 2, C: 3, Data: weights.SynthNoise("z", []int{18}, 1)}
	var results [][]float32
	for _, rename := range []func(string) string{func(s string) string { return s }, oldNames.Replace} {
		both := store(t, c, rename)
		m := New(both.Scope(), c)
		if err := both.Err(); err != nil {
			t.Error(err)
		}
		enc := store(t, c, rename)
		e := NewEncoder(enc.Scope(), c)
		if err := enc.Err(); err != nil {
			t.Error(err)
		}
		dec := store(t, c, rename)
		d := NewDecoder(dec.Scope(), c)
		if err := dec.Err(); err != nil {
			t.Error(err)
		}
		ws := new(nn.Workspace)
		defer ws.Close()
		for _, run := range []func(context.Context, *nn.Workspace, *nn.Tensor) (*nn.Tensor, error){m.Encode, e.Encode, m.Decode, d.Decode} {
			y, err := run(context.Background(), ws, z)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, slices.Clone(y.Data))
		}
	}
	for i, want := range []int{0, 0, 2, 2, 0, 0, 2, 2} {
		if !slices.Equal(results[i], results[want]) {
			t.Errorf("result %d differs from result %d", i, want)
		}
	}
}

// TestCancel: wherever the context is canceled, its error is returned and all
// memory was put back.
func TestCancel(t *testing.T) {
	m := New(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, "odd_single.json", ParseConfig))
	ws := &nn.Workspace{Precision: kernels.Fast}
	defer ws.Close()
	for name, half := range map[string]struct {
		run    func(context.Context, *nn.Workspace, *nn.Tensor) (*nn.Tensor, error)
		c      int // channels
		checks int // two in the middle block and one at each residual block outside it
	}{"Encode": {m.Encode, 3, 3}, "Decode": {m.Decode, m.Decoder.cfg.LatentChannels, 4}} {
		x := &nn.Tensor{N: 1, H: 4, W: 4, C: half.c, Data: make([]float32, 16*half.c)}
		stops := 0
		for ; ; stops++ {
			y, err := half.run(nntest.Countdown(stops), ws, x)
			if err == nil {
				ws.Put(y)
				break
			}
			if !errors.Is(err, context.Canceled) || y != nil || ws.InUse() != 0 {
				t.Fatalf("%s, stop %d: error %v, %d bytes were not put back", name, stops, err, ws.InUse())
			}
		}
		if stops != half.checks {
			t.Errorf("%s: the context was checked %d times, want %d", name, stops, half.checks)
		}
	}
}

// TestNames: tensors are requested in the shapes of published checkpoints.
func TestNames(t *testing.T) {
	rec := weights.Recorder()
	c, err := ParseConfig([]byte(`{"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2,
		"down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
		"up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}`))
	if err != nil {
		t.Fatal(err)
	}
	New(rec.Scope(), c)
	for _, spec := range rec.Requested() {
		want := 1
		switch {
		case strings.HasSuffix(spec.Name, ".weight") && strings.Contains(spec.Name, ".to_"):
			want = 2
		case strings.HasSuffix(spec.Name, ".weight") && strings.Contains(spec.Name, "conv") && !strings.Contains(spec.Name, "norm"):
			want = 4
		}
		if len(spec.Shape) != want {
			t.Errorf("%s has shape %v, want %d dimensions", spec.Name, spec.Shape, want)
		}
	}
	if n := nntest.Params(rec); n != 83_653_863 { // Stable Diffusion's
		t.Errorf("%d parameters", n)
	}
}

func FuzzConfig(f *testing.F) {
	nntest.FuzzConfig(f, 1<<17, func(data []byte, s *weights.Scope) error {
		c, err := ParseConfig(data)
		if err == nil {
			New(s, c)
		}
		return err
	})
}
