package unet

import (
	"context"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// model returns the model of a configuration with synthetic weights.
func model(t testing.TB, config string) *Model {
	t.Helper()
	return New(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, config, ParseConfig))
}

func forward(m *Model, ws *nn.Workspace, c *nntest.Case) *nn.Tensor {
	text := c.Tensor("in/encoder_hidden_states")
	t := c.Raw("in/timestep").Int64s()[0]
	y, err := m.Forward(context.Background(), ws, c.Tensor("in/sample"), float32(t), m.Context(ws, text), c.Tensor("in/class_labels"))
	if err != nil {
		panic(err)
	}
	return y
}

// TestGolden compares with PyTorch; golden.py makes the cases.
func TestGolden(t *testing.T) {
	m := model(t, "tiny.json")
	for _, name := range []string{"unet_square", "unet_wide"} {
		t.Run(name, func(t *testing.T) {
			c := nntest.Open(t, "testdata/"+name+".safetensors")
			ws := new(nn.Workspace)
			if name == "unet_square" {
				c.Trace(ws, nntest.Exact)
			}
			c.Check("out/sample", forward(m, ws, c), nntest.Exact)
			c.Complete()

			// The bound is the error of PyTorch's own bfloat16.
			c.Check("out/sample", forward(m, &nn.Workspace{Precision: kernels.Fast}, c), 2.0e-2)
		})
	}
}

// TestOdd compares unusual configurations with diffusers; testdata/odd.py makes
// the cases.
func TestOdd(t *testing.T) {
	for _, name := range []string{"odd_mixed", "odd_single", "odd_plain"} {
		t.Run(name, func(t *testing.T) {
			m := model(t, name+".json")
			c := nntest.Open(t, "testdata/"+name+".safetensors")
			ws := new(nn.Workspace)
			defer ws.Close()
			c.Trace(ws, nntest.Exact)
			var text *Context
			if m.Config().ContextDim() > 0 {
				text = m.Context(ws, c.Tensor("in/encoder_hidden_states"))
			}
			var class *nn.Tensor
			if m.ClassEmbedding != nil {
				class = c.Tensor("in/class_labels")
			}
			y, err := m.Forward(context.Background(), ws, c.Tensor("in/sample"), float32(c.Raw("in/timestep").Int64s()[0]), text, class)
			if err != nil {
				t.Fatal(err)
			}
			c.Check("out/sample", y, nntest.Exact)
			c.Complete()
			ws.Put(y)
			if ws.InUse() != 0 {
				t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
			}
		})
	}
}
