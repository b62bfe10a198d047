package vit

import (
	"context"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// TestGoldenVision compares with PyTorch; golden.py makes the case.
func TestGoldenVision(t *testing.T) {
	m := New(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, "tiny_vision.json", ParseConfig))
	c := nntest.Open(t, "testdata/vision.safetensors")
	ws := new(nn.Workspace)
	c.Trace(ws, nntest.Exact)
	y, err := m.Forward(context.Background(), ws, c.Tensor("in/pixel_values"))
	if err != nil {
		t.Fatal(err)
	}
	c.Check("out/image_embeds", y, nntest.Exact)
	c.Complete()

	y, err = m.Forward(context.Background(), &nn.Workspace{Precision: kernels.Fast}, c.Tensor("in/pixel_values"))
	if err != nil {
		t.Fatal(err)
	}
	c.Check("out/image_embeds", y, 9.4e-3) // the error of PyTorch's own bfloat16
}

// TestGoldenText compares with PyTorch; golden.py makes the case.
func TestGoldenText(t *testing.T) {
	m := NewText(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, "tiny_text.json", ParseTextConfig))
	c := nntest.Open(t, "testdata/text.safetensors")
	ws := new(nn.Workspace)
	c.Trace(ws, nntest.Exact)
	y, err := m.Forward(context.Background(), ws, ids(c))
	if err != nil {
		t.Fatal(err)
	}
	c.Check("out/last_hidden_state", y, nntest.Exact)
	c.Complete()

	y, err = m.Forward(context.Background(), &nn.Workspace{Precision: kernels.Fast}, ids(c))
	if err != nil {
		t.Fatal(err)
	}
	c.Check("out/last_hidden_state", y, 8.4e-3) // the error of PyTorch's own bfloat16
}

// TestTextEmbedder compares with transformers; testdata/odd.py makes the cases.
func TestTextEmbedder(t *testing.T) {
	for _, name := range []string{"odd_embed_largest", "odd_embed_first"} {
		m := NewTextEmbedder(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, name+".json", ParseTextEmbedConfig))
		c := nntest.Open(t, "testdata/"+name+".safetensors")
		ws := new(nn.Workspace)
		y, err := m.Forward(context.Background(), ws, ids(c))
		if err != nil {
			t.Fatal(err)
		}
		c.Check("out/text_embeds", y, nntest.Exact)
		c.Complete()
		ws.Put(y)
		if ws.InUse() != 0 {
			t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
		}
		ws.Close()
		m.Release()
	}
}

func ids(c *nntest.Case) [][]int {
	raw := c.Raw("in/input_ids")
	rows := make([][]int, raw.Shape[0])
	for i, id := range raw.Int64s() {
		n := i / raw.Shape[1]
		rows[n] = append(rows[n], int(id))
	}
	return rows
}

// TestOddVision compares unusual configurations with transformers;
// testdata/odd.py makes the cases.
func TestOddVision(t *testing.T) {
	for _, name := range []string{"odd_patch1", "odd_remainder"} {
		m := New(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, name+".json", ParseConfig))
		c := nntest.Open(t, "testdata/"+name+".safetensors")
		ws := new(nn.Workspace)
		c.Trace(ws, nntest.Exact)
		y, err := m.Forward(context.Background(), ws, c.Tensor("in/pixel_values"))
		if err != nil {
			t.Fatal(err)
		}
		c.Check("out/image_embeds", y, nntest.Exact)
		c.Complete()
		ws.Put(y)
		if ws.InUse() != 0 {
			t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
		}
		ws.Close()
	}
}

// TestOddText compares an unusual configuration with transformers;
// testdata/odd.py makes the case.
func TestOddText(t *testing.T) {
	m := NewText(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, "odd_text.json", ParseTextConfig))
	c := nntest.Open(t, "testdata/odd_text.safetensors")
	ws := new(nn.Workspace)
	defer ws.Close()
	c.Trace(ws, nntest.Exact)
	y, err := m.Forward(context.Background(), ws, ids(c))
	if err != nil {
		t.Fatal(err)
	}
	c.Check("out/last_hidden_state", y, nntest.Exact)
	c.Complete()
	ws.Put(y)
	if ws.InUse() != 0 {
		t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
	}
}
