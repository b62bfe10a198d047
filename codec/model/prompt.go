package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/vit/tokenizer"
	"github.com/coclico/coclico/weights"
)

// A PromptError reports that a model cannot read prompts. It is a string.
type PromptError string

func (e PromptError) Error() string { return string(e) }

const (
	errNoEncoder   = PromptError("the model cannot read a prompt: in place of its text encoder it has the constant of the empty one")
	errNoTokenizer = PromptError("the model cannot read a prompt: it has no tokenizer")
)

// A prompt is the text encoder's output for the empty prompt.
type prompt struct{ embeds *nn.Tensor } // [1,1,L,C]

// PromptEmbeds returns the UNet's text context [1,1,L,C], which is that of the
// empty prompt: the folder's constant if it has one, and otherwise the output
// of its text encoder, computed as exactly as float32, so that both are the
// same. The encoder's weights are released again. The caller must not change
// the result.
func (m *Model) PromptEmbeds(ctx context.Context, lowMemory bool) (*nn.Tensor, error) {
	if m.folder.Has(weights.PromptEmbeds) {
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
	ids, err := m.emptyPrompt(tower.Config())
	if err != nil {
		return nil, err
	}
	return m.encodeText(ctx, tower, [][]int{ids}, lowMemory)
}

// TextEmbeds returns the UNet's text contexts [N,1,L,C] of N prompts, computed
// as exactly as float32. Of a long prompt only the beginning counts: 75 tokens
// with CLIP's tokenizer. The encoder's weights are released again. It returns a
// [PromptError] if the model has no tokenizer or no text encoder.
func (m *Model) TextEmbeds(ctx context.Context, prompts []string, lowMemory bool) (*nn.Tensor, error) {
	t, err := m.Tokenizer()
	if err != nil {
		return nil, err
	}
	tower, err := m.TextEncoder(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([][]int, len(prompts))
	for i, text := range prompts {
		ids[i] = t.Encode(text)
	}
	return m.encodeText(ctx, tower, ids, lowMemory)
}

// encodeText runs the text encoder and releases its weights.
func (m *Model) encodeText(ctx context.Context, tower *vit.TextModel, ids [][]int, lowMemory bool) (*nn.Tensor, error) {
	defer tower.Release()
	if id, words := slices.Max(slices.Concat(ids...)), tower.Config().VocabSize; id >= words {
		return nil, m.misfit(weights.TextEncoder, "vocab_size is %d, and the prompt has an added token of id %d", words, id)
	}
	ws := nn.Workspace{LowMemory: lowMemory}
	defer ws.Close()
	x, err := tower.Forward(ctx, &ws, ids)
	if err != nil {
		return nil, err
	}
	if !x.Finite() {
		return nil, fmt.Errorf("%s: the network's output is not finite: its weights or its configuration are wrong", m.folder.PartPath(weights.TextEncoder))
	}
	return &nn.Tensor{N: x.N, H: x.H, W: x.W, C: x.C, Data: append([]float32(nil), x.Data...)}, nil
}

// Tokenizer returns the tokenizer of the text encoder. It returns a
// [PromptError] if the model has no tokenizer or no text encoder.
func (m *Model) Tokenizer() (*tokenizer.Tokenizer, error) {
	switch {
	case !m.folder.Has(weights.TextEncoder) && m.folder.Has(weights.PromptEmbeds):
		return nil, errNoEncoder
	case !m.folder.Has(weights.Tokenizer):
		return nil, errNoTokenizer
	}
	return m.tokenizer()
}

// loadTokenizer also checks the tokenizer against the text encoder's
// configuration, except for added tokens: their rows may lie in other files, as
// those of a textual inversion do, and few texts have them.
func (m *Model) loadTokenizer() (*tokenizer.Tokenizer, error) {
	files, err := m.folder.PartFS(weights.Tokenizer)
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.New(files)
	if err != nil {
		return nil, weights.NewFileError(m.folder.PartPath(weights.Tokenizer), err)
	}
	if !m.folder.Has(weights.TextEncoder) {
		return t, nil
	}
	cfg, err := configOf(m, weights.TextEncoder, vit.ParseTextConfig)
	switch {
	case err != nil:
		return nil, err
	case t.Size()-t.Added() > cfg.VocabSize:
		return nil, m.misfit(weights.TextEncoder, "vocab_size is %d, the %s's %d", cfg.VocabSize, weights.Tokenizer, t.Size()-t.Added())
	case t.Len() > cfg.MaxPositionEmbeddings:
		return nil, m.misfit(weights.TextEncoder, "max_position_embeddings is %d, the %s's model_max_length %d", cfg.MaxPositionEmbeddings, weights.Tokenizer, t.Len())
	}
	return t, nil
}

// clipWords is the size of CLIP's vocabulary.
const clipWords = 49408

// emptyPrompt returns the token ids of "": those of the folder's tokenizer.
// Without one they are those of Stable Diffusion 2's: the begin and the end of a
// text, which are the last two words of the vocabulary, and padding with word 0.
// (The configuration's bos_token_id and eos_token_id are ignored: those of old
// files differ from what their tokenizers use.) The last words of a vocabulary
// that is larger than CLIP's were added to it.
func (m *Model) emptyPrompt(cfg vit.TextConfig) ([]int, error) {
	if m.folder.Has(weights.Tokenizer) {
		t, err := m.tokenizer()
		if err != nil {
			return nil, err
		}
		return t.Encode(""), nil
	}
	if cfg.VocabSize > clipWords {
		return nil, m.misfit(weights.TextEncoder, "vocab_size is %d, above CLIP's %d: the empty prompt needs the model's %s folder", cfg.VocabSize, clipWords, weights.Tokenizer)
	}
	ids := make([]int, cfg.MaxPositionEmbeddings)
	ids[0], ids[1] = cfg.VocabSize-2, cfg.VocabSize-1
	return ids, nil
}

// contextDim returns the width of the UNet's text context and the name of the
// place where it is specified: the constant itself, or the configuration of the
// text encoder, whose weights are not opened.
func (m *Model) contextDim() (width int, source string, err error) {
	if m.folder.Has(weights.PromptEmbeds) {
		p, err := m.prompt()
		if err != nil {
			return 0, "", err
		}
		return p.embeds.C, "width of " + PromptTensor, nil
	}
	return m.textDim()
}

// textDim returns the width of what the text encoder makes of a prompt, and its
// name.
func (m *Model) textDim() (width int, source string, err error) {
	cfg, err := configOf(m, weights.TextEncoder, vit.ParseTextConfig)
	return cfg.HiddenSize, string(weights.TextEncoder) + "'s hidden_size", err
}

// PromptTensor is the only tensor of the part [weights.PromptEmbeds].
const PromptTensor = "prompt_embeds"

// maxPromptTokens is far above CLIP's 77.
const maxPromptTokens = 4096

func (m *Model) loadPrompt() (p prompt, err error) {
	store, err := m.open(weights.PromptEmbeds)
	if err != nil {
		return p, err
	}
	defer func() {
		if err != nil {
			m.folder.Drop(store)
		}
	}()
	t, ok := store.Lookup(PromptTensor)
	if !ok || len(t.Shape) != 2 || min(t.Shape[0], t.Shape[1]) < 1 || t.Shape[0] > maxPromptTokens {
		return p, fmt.Errorf("%s: a tensor %s [tokens, width] of at most %d tokens is needed", store.Name(), PromptTensor, maxPromptTokens)
	}
	l, c := t.Shape[0], t.Shape[1]
	t = store.Scope().Tensor(PromptTensor, l, c)
	if err := store.Err(); err != nil {
		return p, err
	}
	if err := store.CheckFinite(context.Background()); err != nil {
		return p, err
	}
	return prompt{&nn.Tensor{N: 1, H: 1, W: l, C: c, Data: t.Float32s()}}, nil
}
