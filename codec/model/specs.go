package model

import (
	"context"
	"fmt"

	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/weights"
)

// Specs returns the tensors that a part of a folder reads, from its
// configuration alone.
func Specs(folder *weights.Folder, part string) ([]weights.Spec, error) {
	recorder := weights.Recorder()
	m := newModel(folder, func(string) (*weights.Store, error) { return recorder, nil })
	err := m.build(context.Background(), part)
	return recorder.Requested(), err
}

// Check opens a part as the codec would, all of it: its configuration is read,
// its weights are compared with that, by name and by shape, and every value must
// be finite. It returns the part's weights, which belong to the folder, nil if
// it has none. An error may be a [weights.LoadError], whose List has all that is
// wrong.
func Check(ctx context.Context, folder *weights.Folder, part string) (*weights.Store, error) {
	var store *weights.Store
	m := newModel(folder, func(name string) (*weights.Store, error) {
		s, err := folder.Part(name)
		if name == part {
			store = s
		}
		return s, err
	})
	err := m.build(ctx, part) // which assigns store
	return store, err
}

// build makes all of a part's network.
func (m *Model) build(ctx context.Context, part string) (err error) {
	switch part {
	case "image_encoder":
		_, err = m.ImageEncoder(ctx)
	case "feature_extractor":
		_, err = m.Preprocessor()
	case "image_normalizer":
		_, _, err = m.Normalizer()
	case "image_noising_scheduler":
		_, err = m.Noising()
	case "scheduler":
		_, err = m.Scheduler()
	case "text_encoder":
		_, err = m.TextEncoder(ctx)
	case promptPart:
		_, err = m.prompt()
	case "unet":
		_, err = m.UNet(ctx)
	case "vae":
		var cfg vae.Config
		if cfg, err = m.VAE(); err == nil {
			_, err = network(ctx, m, part, cfg, vae.New)
		}
	default:
		err = fmt.Errorf("%s: no part that is read", part)
	}
	return err
}
