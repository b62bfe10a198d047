package model

import (
	"context"
	"fmt"

	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/vit/tokenizer"
	"github.com/coclico/coclico/weights"
)

// Specs returns the tensors that the codec reads of a part, computed from its
// configuration alone.
func Specs(folder *weights.Folder, part weights.Part) ([]weights.Spec, error) {
	recorder := weights.Recorder()
	m := newModel(folder, func(weights.Part) (*weights.Store, error) { return recorder, nil })
	err := m.build(context.Background(), part)
	return recorder.Requested(), err
}

// Check opens all of a part as the codec would: its configuration is read, its
// weights are compared with it by name and shape, and every value must be
// finite. It returns the part's weights, which belong to the folder, or nil if
// it has none. The error may be a [weights.LoadError], whose List is the whole
// report.
func Check(ctx context.Context, folder *weights.Folder, part weights.Part) (*weights.Store, error) {
	var store *weights.Store
	m := newModel(folder, func(p weights.Part) (*weights.Store, error) {
		s, err := folder.Part(p)
		if p == part {
			store = s
		}
		return s, err
	})
	err := m.build(ctx, part) // which assigns store
	return store, err
}

// builders has a function for each part, which opens all of it: a VAE is both of
// its halves.
var builders = map[weights.Part]func(*Model, context.Context) error{
	weights.FeatureExtractor:      opens((*Model).Preprocessor),
	weights.ImageEncoder:          opensIn((*Model).ImageEncoder),
	weights.ImageNormalizer:       opens(func(m *Model) (*normalizer, error) { return m.normalizer() }),
	weights.ImageNoisingScheduler: opens((*Model).Noising),
	weights.Scheduler:             opens((*Model).Scheduler),
	weights.Tokenizer:             opens(func(m *Model) (*tokenizer.Tokenizer, error) { return m.tokenizer() }),
	weights.TextEncoder:           opensIn((*Model).TextEncoder),
	weights.PromptEmbeds:          opens(func(m *Model) (prompt, error) { return m.prompt() }),
	weights.UNet:                  opensIn((*Model).UNet),
	weights.VAE:                   opensIn((*Model).wholeVAE),
}

func opens[T any](load func(*Model) (T, error)) func(*Model, context.Context) error {
	return opensIn(func(m *Model, _ context.Context) (T, error) { return load(m) })
}

func opensIn[T any](load func(*Model, context.Context) (T, error)) func(*Model, context.Context) error {
	return func(m *Model, ctx context.Context) error {
		_, err := load(m, ctx)
		return err
	}
}

func (m *Model) wholeVAE(ctx context.Context) (*vae.Model, error) {
	cfg, err := m.VAE()
	if err != nil {
		return nil, err
	}
	return network(ctx, m, weights.VAE, cfg, vae.New)
}

// build opens all of a part.
func (m *Model) build(ctx context.Context, part weights.Part) error {
	build, ok := builders[part]
	if !ok {
		return fmt.Errorf("%s: not a part of a model", part)
	}
	return build(m, ctx)
}
