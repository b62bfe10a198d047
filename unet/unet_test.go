package unet

import (
	"context"
	"os"
	"testing"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/nn/nntest"
	"github.com/coclico/coclico/weights"
)

// model returns the model that a config describes with the weights of the law.
func model(t testing.TB, config string) *Model {
	t.Helper()
	data, err := os.ReadFile("testdata/" + config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	return New(weights.Synthetic(1).Scope(), c)
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

// The golden cases are shared/golden's, made by its golden.py.
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

			// Bound: PyTorch's own bfloat16 run.
			c.Check("out/sample", forward(m, &nn.Workspace{Precision: kernels.Fast}, c), 2.0e-2)
		})
	}
}
