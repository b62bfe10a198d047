package vae

import (
	"context"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// picture returns uint8 [H,W,3] as a tensor in [-1,1].
func picture(x weights.Tensor) *nn.Tensor {
	t := &nn.Tensor{N: 1, H: x.Shape[0], W: x.Shape[1], C: x.Shape[2], Data: x.Float32s()}
	for i, v := range t.Data {
		t.Data[i] = v/127.5 - 1
	}
	return t
}

// TestGolden compares with PyTorch; golden.py makes the case.
func TestGolden(t *testing.T) {
	m := New(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, "tiny.json", ParseConfig))
	c := nntest.Open(t, "testdata/vae.safetensors")
	run := func(ws *nn.Workspace, encode, decode float64) {
		mean, err := m.Encode(context.Background(), ws, picture(c.Raw("in/image_uint8")))
		if err != nil {
			t.Fatal(err)
		}
		c.Check("out/latent_mean", mean, encode)
		ws.Put(mean)
		image, err := m.Decode(context.Background(), ws, c.Tensor("in/latent"))
		if err != nil {
			t.Fatal(err)
		}
		c.Check("out/image", image, decode)
		ws.Put(image)
	}
	ws := new(nn.Workspace)
	c.Trace(ws, nntest.Exact)
	run(ws, nntest.Exact, nntest.Exact)
	c.Complete()
	run(&nn.Workspace{Precision: kernels.Fast}, 1.7e-2, 1.4e-2) // the errors of PyTorch's own bfloat16
}

// TestOdd compares unusual configurations with diffusers; testdata/odd.py makes
// the cases.
func TestOdd(t *testing.T) {
	for _, name := range []string{"odd_single", "odd_levels"} {
		t.Run(name, func(t *testing.T) {
			m := New(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, name+".json", ParseConfig))
			c := nntest.Open(t, "testdata/"+name+".safetensors")
			ws := new(nn.Workspace)
			defer ws.Close()
			c.Trace(ws, nntest.Exact)
			mean, err := m.Encode(context.Background(), ws, c.Tensor("in/image"))
			if err != nil {
				t.Fatal(err)
			}
			c.Check("out/latent_mean", mean, nntest.Exact)
			image, err := m.Decode(context.Background(), ws, c.Tensor("in/latent"))
			if err != nil {
				t.Fatal(err)
			}
			c.Check("out/image", image, nntest.Exact)
			c.Complete()
			ws.Put(mean)
			ws.Put(image)
			if ws.InUse() != 0 {
				t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
			}
		})
	}
}
