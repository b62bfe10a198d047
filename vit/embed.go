package vit

import (
	"context"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// TextEmbedder is a CLIPTextModelWithProjection: it turns texts into vectors of
// the space in which [Model] puts pictures. It is safe for concurrent use if
// every goroutine has its own workspace.
type TextEmbedder struct {
	cfg            TextEmbedConfig
	tower          *TextModel
	weights        *nn.WeightSet
	textProjection *nn.Linear
}

// NewTextEmbedder reads the model from the scope of its file, which may hold the
// whole of a CLIP. c must be valid.
func NewTextEmbedder(scope *weights.Scope, c TextEmbedConfig) *TextEmbedder {
	m := &TextEmbedder{cfg: c, tower: NewText(scope, c.TextConfig), weights: new(nn.WeightSet)}
	m.textProjection = nn.NewLinear(m.weights.Scope(scope).Sub("text_projection"), c.HiddenSize, c.ProjectionDim, false)
	return m
}

// Config returns the model's configuration.
func (m *TextEmbedder) Config() TextEmbedConfig { return m.cfg }

// Release drops the packed weights; the next Forward packs them again.
func (m *TextEmbedder) Release() {
	m.tower.Release()
	m.weights.Release()
}

// Forward returns text_embeds [N,1,1,ProjectionDim], which is not normalized, of
// N rows of token ids: the tower's output at the end of each text, projected.
// The caller must Put the result. The error is that of ctx.
func (m *TextEmbedder) Forward(ctx context.Context, ws *nn.Workspace, ids [][]int) (*nn.Tensor, error) {
	x, err := m.tower.Forward(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	last := ws.Get(x.N, 1, 1, x.C)
	for n, row := range ids {
		copy(last.Data[n*x.C:(n+1)*x.C], x.Data[(n*x.W+m.end(row))*x.C:])
	}
	ws.Put(x)
	a := ws.Fill(last, 0)
	ws.Put(last)
	y := m.textProjection.Forward(ws, a, nil)
	ws.PutOperand(a)
	return y, nil
}

// end returns the position of the end of a text, as transformers finds it: of
// the first token that is the end, or of the first token if no end comes. The
// configurations of the published CLIPs have the wrong id 2 for the end; there
// it is the largest id, which is the vocabulary's last word.
func (m *TextEmbedder) end(ids []int) int {
	at := 0
	for i, id := range ids {
		switch {
		case m.cfg.EOSTokenID != 2 && id == m.cfg.EOSTokenID:
			return i
		case m.cfg.EOSTokenID == 2 && id > ids[at]:
			at = i
		}
	}
	return at
}
