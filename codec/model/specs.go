package model

import (
	"fmt"

	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/weights"
)

// Specs returns the tensors that a part of a folder reads, from its
// configuration alone.
func Specs(folder *weights.Folder, part string) ([]weights.Spec, error) {
	recorder := weights.Recorder()
	m := newModel(folder, func(string) (*weights.Store, error) { return recorder, nil })
	var err error
	switch part {
	case "image_encoder":
		_, err = m.ImageEncoder()
	case "image_normalizer":
		_, _, err = m.Normalizer()
	case "text_encoder":
		_, err = m.TextEncoder()
	case "unet":
		_, err = m.UNet()
	case "vae":
		var cfg vae.Config
		if cfg, err = m.VAE(); err == nil {
			vae.New(recorder.Scope(), cfg)
		}
	default:
		return nil, fmt.Errorf("%s: no part with weights", part)
	}
	return recorder.Requested(), err
}
