package vit

import (
	"context"
	"strings"

	"github.com/coclico/coclico/nn"
)

// layer is transformers' CLIPEncoderLayer: attention and a feed-forward
// network, each preceded by a LayerNorm and added to the stream.
type layer struct {
	LayerNorm1 *nn.LayerNorm
	SelfAttn   *nn.Attention
	LayerNorm2 *nn.LayerNorm
	FC1, FC2   *nn.Linear // mlp.fc1, mlp.fc2

	act                nn.Activation
	name, norm1, norm2 string // for Trace
}

var projections = [4]string{"q_proj", "k_proj", "v_proj", "out_proj"}

// newLayers reads encoder.layers.
func newLayers(s nn.Scope, c Tower, causal bool) []*layer {
	var all []*layer
	attention := nn.AttentionConfig{
		Channels: c.HiddenSize,
		Heads:    c.NumAttentionHeads,
		Dim:      c.HiddenSize / c.NumAttentionHeads,
		Bias:     true,
		Causal:   causal,
		Names:    projections,
	}
	eps := float32(c.LayerNormEps)
	for i := range c.NumHiddenLayers {
		s := s.Sub("encoder.layers").Index(i)
		l := &layer{
			LayerNorm1: nn.NewLayerNorm(s.Sub("layer_norm1"), c.HiddenSize, eps),
			SelfAttn:   nn.NewAttention(s.Sub("self_attn"), attention),
			LayerNorm2: nn.NewLayerNorm(s.Sub("layer_norm2"), c.HiddenSize, eps),
			FC1:        nn.NewLinear(s.Sub("mlp.fc1"), c.HiddenSize, c.IntermediateSize, true),
			FC2:        nn.NewLinear(s.Sub("mlp.fc2"), c.IntermediateSize, c.HiddenSize, true),
			act:        c.act(),
			name:       strings.TrimPrefix(s.Path(), "text_model."), // as in newer files
		}
		if !causal { // golden cases contain only the norms of the vision tower
			l.norm1, l.norm2 = l.name+".layer_norm1", l.name+".layer_norm2"
		}
		all = append(all, l)
	}
	return all
}

// forward consumes x [N,1,L,C].
func (l *layer) forward(ws *nn.Workspace, x *nn.Tensor) *nn.Tensor {
	a := l.LayerNorm1.Forward(ws, x)
	ws.EmitOperand(l.norm1, a)
	x = l.SelfAttn.Self(ws, a, x)
	a = l.LayerNorm2.Forward(ws, x)
	ws.EmitOperand(l.norm2, a)
	h := l.FC1.Operand(ws, a, l.act)
	ws.PutOperand(a)
	x = l.FC2.Forward(ws, h, x)
	ws.PutOperand(h)
	ws.Emit(l.name, x)
	return x
}

// run passes x through the layers and checks the context before each. It
// consumes x.
func run(ctx context.Context, ws *nn.Workspace, layers []*layer, x *nn.Tensor) (*nn.Tensor, error) {
	for _, l := range layers {
		if err := ctx.Err(); err != nil {
			ws.Put(x)
			return nil, err
		}
		x = l.forward(ws, x)
	}
	return x, nil
}
