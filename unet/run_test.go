package unet

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// args returns arguments of Forward.
func args(m *Model, ws *nn.Workspace, n, contexts int) (x *nn.Tensor, text *Context, class *nn.Tensor) {
	noise := func(name string, n, h, w, c int) *nn.Tensor {
		one := weights.SynthNoise(name, []int{1, h, w, c}, 1)
		return &nn.Tensor{N: n, H: h, W: w, C: c, Data: slices.Concat(slices.Repeat(one, n))}
	}
	c := m.Config()
	text = m.Context(ws, noise("text", contexts, 1, 9, c.ContextDim()))
	return noise("sample", n, 8, 8, c.InChannels), text, noise("class", n, 1, 1, c.ClassEmbeddingsDim)
}

// TestBatch: a batch of three equal pictures, with a shared context or one
// each, gives three times the result for one picture.
func TestBatch(t *testing.T) {
	m := model(t, "tiny.json")
	ws := new(nn.Workspace)
	defer ws.Close()
	run := func(n, contexts int) []float32 {
		x, text, class := args(m, ws, n, contexts)
		y, err := m.Forward(context.Background(), ws, x, 400, text, class)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Put(y)
		return slices.Clone(y.Data)
	}
	one := run(1, 1)
	for _, contexts := range []int{1, 3} {
		three := run(3, contexts)
		for i, v := range three {
			if v != one[i%len(one)] {
				t.Fatalf("%d contexts: element %d is %g, for a single picture %g", contexts, i, v, one[i%len(one)])
			}
		}
	}
}

// TestReuse: a second evaluation takes no memory from the system and has the
// same result as the first, so no layer reads what an earlier evaluation left
// behind.
func TestReuse(t *testing.T) {
	m := model(t, "tiny.json")
	ws := &nn.Workspace{Precision: kernels.Fast}
	defer ws.Close()
	x, text, class := args(m, ws, 2, 1)
	var first []float32
	step := func() {
		y, err := m.Forward(context.Background(), ws, x, 400, text, class)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = slices.Clone(y.Data)
		}
		if !slices.Equal(first, y.Data) {
			t.Error("a later evaluation differs from the first")
		}
		ws.Put(y)
	}
	const runs = 10
	step()
	size := ws.Size()
	for range runs {
		step() // scratch memory grows with the number of concurrent goroutines
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		step()
	}
	runtime.ReadMemStats(&after)
	// A closure for each concatenation, a few slices, and occasionally a job
	// for one more goroutine.
	if n, b := (after.Mallocs-before.Mallocs)/runs, (after.TotalAlloc-before.TotalAlloc)/runs; n > 200 || b > 32<<10 {
		t.Errorf("%d allocations of %d bytes in later evaluations", n, b)
	}
	if ws.Size() != size || ws.InUse() != 0 {
		t.Errorf("the workspace grew from %d to %d bytes, %d in use", size, ws.Size(), ws.InUse())
	}
}

// TestCancel: wherever the context is canceled, Forward returns its error and
// all memory was put back.
func TestCancel(t *testing.T) {
	m := model(t, "tiny.json")
	ws := new(nn.Workspace)
	defer ws.Close()
	x, text, class := args(m, ws, 1, 1)
	stops := 0
	for {
		y, err := m.Forward(nntest.Countdown(stops), ws, x, 400, text, class)
		if err == nil {
			ws.Put(y)
			break
		}
		if !errors.Is(err, context.Canceled) || y != nil {
			t.Fatalf("error %v", err)
		}
		if ws.InUse() != 0 {
			t.Fatalf("stop %d: %d bytes were not put back", stops, ws.InUse())
		}
		stops++
	}
	if want := 22 + 16; stops != want { // residual blocks and transformers
		t.Errorf("the context was checked %d times, want %d", stops, want)
	}
}

// TestConcurrent runs one model in several workspaces, with concurrent calls of
// Release.
func TestConcurrent(t *testing.T) {
	m := model(t, "tiny.json")
	var wg sync.WaitGroup
	results := make([][]float32, 4)
	for i := range results {
		wg.Go(func() {
			ws := &nn.Workspace{Precision: kernels.Precision(i % 2)}
			defer ws.Close()
			x, text, class := args(m, ws, 1, 1)
			m.Release()
			y, err := m.Forward(context.Background(), ws, x, 400, text, class)
			if err != nil {
				t.Error(err)
				return
			}
			results[i] = slices.Clone(y.Data)
		})
	}
	wg.Wait()
	if !slices.Equal(results[0], results[2]) || !slices.Equal(results[1], results[3]) {
		t.Error("concurrent evaluations differ")
	}
}

// TestNames: tensors are requested in the shapes of published checkpoints. The
// requested tensors are also those of a synthetic folder.
func TestNames(t *testing.T) {
	s := weights.Recorder()
	c, err := ParseConfig([]byte(`{"class_embed_type": "projection", "projection_class_embeddings_input_dim": 1536,
		"attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024, "use_linear_projection": true}`))
	if err != nil {
		t.Fatal(err)
	}
	New(s.Scope(), c)
	if n := nntest.Params(s); n != 869_517_764 { // Stable unCLIP 2.1 L
		t.Errorf("%d parameters", n)
	}
	for _, spec := range s.Requested() {
		name, n := spec.Name, len(spec.Shape)
		want := 2
		switch {
		case !strings.HasSuffix(name, ".weight") || strings.Contains(name, "norm"):
			want = 1
		case strings.Contains(name, "conv"):
			want = 4
		}
		if n != want {
			t.Errorf("%s has %d dimensions, want %d", name, n, want)
		}
	}
}
