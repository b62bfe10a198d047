package model

import (
	"context"
	"fmt"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/vit"
)

// promptPart is a part that diffusers does not know: a safetensors file
// model.safetensors with one tensor, prompt_embeds [L,C], the text encoder's
// last_hidden_state of the empty prompt in float32 (or narrower). This codec
// never has another prompt, so that the constant serves in the place of the
// text encoder and of its tokenizer: 77 x 1024 values instead of 340 million.
const promptPart = "prompt_embeds"

// A prompt is what the text encoder makes of the empty prompt.
type prompt struct{ embeds *nn.Tensor } // [1,1,L,C]

// PromptEmbeds returns what the UNet is told of the empty prompt [1,1,L,C]: the
// folder's constant if it has one, otherwise what its text encoder computes, as
// exactly as float32, so that both are the same. The encoder's weights are
// released again. The result must not be changed.
func (m *Model) PromptEmbeds(ctx context.Context, lowMemory bool) (*nn.Tensor, error) {
	if m.folder.Has(promptPart) {
		p, err := m.prompt()
		if err != nil {
			return nil, err
		}
		return p.embeds, nil
	}
	tower, err := m.TextEncoder(ctx)
	if err != nil {
		return nil, err
	}
	defer tower.Release()
	ws := nn.Workspace{LowMemory: lowMemory}
	defer ws.Close()
	x, err := tower.Forward(ctx, &ws, [][]int{emptyPrompt(tower.Config())})
	if err != nil {
		return nil, err
	}
	if !x.Finite() {
		return nil, fmt.Errorf("%s: the network's output is not finite: its weights or its configuration are wrong", m.folder.Path("text_encoder"))
	}
	return &nn.Tensor{N: x.N, H: x.H, W: x.W, C: x.C, Data: append([]float32(nil), x.Data...)}, nil
}

// emptyPrompt returns the token ids of "": the begin and the end of a text, the
// last two words of CLIP's vocabulary, and padding with word 0 as Stable
// Diffusion 2 has it. (The configuration's bos_token_id and eos_token_id are
// not asked: old files have others, which their tokenizers do not use.)
func emptyPrompt(cfg vit.TextConfig) []int {
	ids := make([]int, cfg.MaxPositionEmbeddings)
	ids[0], ids[1] = cfg.VocabSize-2, cfg.VocabSize-1
	return ids
}

// contextDim returns the width of the UNet's text context: the constant's, or
// the text encoder's from its configuration alone.
func (m *Model) contextDim() (width int, said string, err error) {
	if m.folder.Has(promptPart) {
		p, err := m.prompt()
		if err != nil {
			return 0, "", err
		}
		return p.embeds.C, "width of prompt_embeds", nil
	}
	cfg, err := config(m, "text_encoder", vit.ParseTextConfig)
	return cfg.HiddenSize, "text_encoder's hidden_size", err
}

// maxPromptTokens is far above CLIP's 77.
const maxPromptTokens = 4096

func (m *Model) loadPrompt() (p prompt, err error) {
	store, err := m.open(promptPart)
	if err != nil {
		return p, err
	}
	defer func() {
		if err != nil {
			m.folder.Drop(store)
		}
	}()
	t, ok := store.Lookup(promptPart)
	if !ok || len(t.Shape) != 2 || min(t.Shape[0], t.Shape[1]) < 1 || t.Shape[0] > maxPromptTokens {
		return p, fmt.Errorf("%s: a tensor prompt_embeds [tokens, width] of at most %d tokens is needed", store.Name(), maxPromptTokens)
	}
	l, c := t.Shape[0], t.Shape[1]
	t = store.Scope().Tensor(promptPart, l, c)
	if err := store.Err(); err != nil {
		return p, err
	}
	if err := store.CheckFinite(context.Background()); err != nil {
		return p, err
	}
	return prompt{&nn.Tensor{N: 1, H: 1, W: l, C: c, Data: t.Float32s()}}, nil
}
