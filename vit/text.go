package vit

import (
	"context"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// TextModel is a CLIPTextModel. It is safe for concurrent use if every
// goroutine has its own workspace.
type TextModel struct {
	cfg     TextConfig
	weights *nn.WeightSet

	tokenEmbedding    weights.Tensor // [vocabulary,C]
	positionEmbedding weights.Tensor // [positions,C]
	layers            []*layer
	finalLayerNorm    *nn.LayerNorm
}

// NewText reads the model from the scope of its file. The names in the file may
// begin with text_model. c must be valid.
func NewText(scope *weights.Scope, c TextConfig) *TextModel {
	m := &TextModel{cfg: c, weights: new(nn.WeightSet)}
	s := m.weights.Scope(scope).Optional("text_model")
	e := s.Sub("embeddings")
	m.tokenEmbedding = e.Sub("token_embedding").Tensor("weight", c.VocabSize, c.HiddenSize)
	m.positionEmbedding = e.Sub("position_embedding").Tensor("weight", c.MaxPositionEmbeddings, c.HiddenSize)
	m.layers = newLayers(s, c.Tower, true)
	m.finalLayerNorm = nn.NewLayerNorm(s.Sub("final_layer_norm"), c.HiddenSize, float32(c.LayerNormEps))
	return m
}

// Config returns the model's configuration.
func (m *TextModel) Config() TextConfig { return m.cfg }

// Release drops the packed weights; the next Forward packs them again.
func (m *TextModel) Release() { m.weights.Release() }

// Forward returns last_hidden_state [N,1,L,C] of N rows of L token ids, where L
// is at most MaxPositionEmbeddings. The caller must Put the result. The error
// is that of ctx.
func (m *TextModel) Forward(ctx context.Context, ws *nn.Workspace, ids [][]int) (*nn.Tensor, error) {
	if len(ids) == 0 || len(ids[0]) == 0 || len(ids[0]) > m.cfg.MaxPositionEmbeddings {
		panic("vit: wrong number of tokens")
	}
	c := m.cfg.HiddenSize
	x := ws.Get(len(ids), 1, len(ids[0]), c)
	position := make([]float32, c)
	for n, row := range ids {
		if len(row) != x.W {
			panic("vit: rows of tokens differ in length")
		}
		for l, id := range row {
			if id < 0 || id >= m.cfg.VocabSize {
				panic("vit: token outside the vocabulary")
			}
			dst := x.Data[(n*x.W+l)*c:][:c]
			m.tokenEmbedding.Read(dst, id*c)
			m.positionEmbedding.Read(position, l*c)
			add(dst, position)
		}
	}
	x, err := run(ctx, ws, m.layers, x)
	if err != nil {
		return nil, err
	}
	return m.finalLayerNorm.Tensor(ws, x), nil
}
