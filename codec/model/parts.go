package model

import (
	"context"
	"fmt"

	"github.com/coclico/coclico/nn/config"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/weights"
)

func (m *Model) loadImageEncoder(ctx context.Context) (*vit.Model, error) {
	cfg, err := configOf(m, weights.ImageEncoder, vit.ParseConfig)
	if err != nil {
		return nil, err
	}
	return network(ctx, m, weights.ImageEncoder, cfg, vit.New)
}

func (m *Model) loadPreprocessor() (vit.PreprocessConfig, error) {
	cfg, err := configOf(m, weights.FeatureExtractor, vit.ParsePreprocessConfig)
	if err != nil {
		return cfg, err
	}
	tower, err := configOf(m, weights.ImageEncoder, vit.ParseConfig)
	if err == nil && cfg.CropSize != tower.ImageSize {
		err = m.misfit(weights.FeatureExtractor, "crop_size is %d, the %s's image_size %d", cfg.CropSize, weights.ImageEncoder, tower.ImageSize)
	}
	return cfg, err
}

func (m *Model) loadTextEncoder(ctx context.Context) (*vit.TextModel, error) {
	cfg, err := configOf(m, weights.TextEncoder, vit.ParseTextConfig)
	if err != nil {
		return nil, err
	}
	if cfg.VocabSize < 2 || cfg.MaxPositionEmbeddings < 2 { // for the begin and the end of a text
		return nil, m.misfit(weights.TextEncoder, "vocab_size is %d and max_position_embeddings %d, at least 2 are needed", cfg.VocabSize, cfg.MaxPositionEmbeddings)
	}
	return network(ctx, m, weights.TextEncoder, cfg, vit.NewText)
}

// loadUNet also checks the network's configuration against those of the parts
// that it works with.
func (m *Model) loadUNet(ctx context.Context) (*unet.Model, error) {
	cfg, err := configOf(m, weights.UNet, unet.ParseConfig)
	if err != nil {
		return nil, err
	}
	ae, err := m.VAE()
	if err != nil {
		return nil, err
	}
	dim, err := m.embeddingDim()
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.ClassEmbedType == "":
		err = m.misfit(weights.UNet, "class_embed_type is null, a network with a projected class embedding is needed")
	case cfg.ClassEmbeddingsDim != 2*dim:
		err = m.misfit(weights.UNet, "projection_class_embeddings_input_dim is %d, not twice the %s's embedding_dim %d", cfg.ClassEmbeddingsDim, weights.ImageNormalizer, dim)
	case cfg.InChannels != ae.LatentChannels || cfg.OutChannels != ae.LatentChannels:
		err = m.misfit(weights.UNet, "in_channels and out_channels are %d and %d, the %s's latent_channels %d", cfg.InChannels, cfg.OutChannels, weights.VAE, ae.LatentChannels)
	case cfg.ContextDim() > 0:
		err = m.checkContext(cfg)
	}
	if err != nil {
		return nil, err
	}
	return network(ctx, m, weights.UNet, cfg, unet.New)
}

// checkContext compares the width of the network's text context with the width
// of the context that there will be: that of prompts too if there can be any.
func (m *Model) checkContext(cfg unet.Config) error {
	width, source, err := m.contextDim()
	if err == nil && width == cfg.ContextDim() && m.folder.Has(weights.Tokenizer) && m.folder.Has(weights.TextEncoder) {
		width, source, err = m.textDim()
	}
	if err == nil && width != cfg.ContextDim() {
		err = m.misfit(weights.UNet, "cross_attention_dim is %d, the %s %d", cfg.ContextDim(), source, width)
	}
	return err
}

// misfit returns an error about a part's configuration.
func (m *Model) misfit(part weights.Part, format string, args ...any) error {
	return fmt.Errorf("%s: %s", m.folder.ConfigName(part), fmt.Sprintf(format, args...))
}

func (m *Model) loadVAE() (vae.Config, error) {
	cfg, err := configOf(m, weights.VAE, vae.ParseConfig)
	if err == nil && (cfg.InChannels != 3 || cfg.OutChannels != 3) {
		err = m.misfit(weights.VAE, "in_channels and out_channels are %d and %d, 3 are needed", cfg.InChannels, cfg.OutChannels)
	}
	return cfg, err
}

func (m *Model) loadVAEEncoder(ctx context.Context) (*vae.Encoder, error) {
	cfg, err := m.VAE()
	if err != nil {
		return nil, err
	}
	return network(ctx, m, weights.VAE, cfg, vae.NewEncoder)
}

func (m *Model) loadVAEDecoder(ctx context.Context) (*vae.Decoder, error) {
	cfg, err := m.VAE()
	if err != nil {
		return nil, err
	}
	return network(ctx, m, weights.VAE, cfg, vae.NewDecoder)
}

// A normalizer is diffusers' StableUnCLIPImageNormalizer: the statistics of
// CLIP vectors.
type normalizer struct {
	mean, std []float32
	bfloat16  bool // the type in which at least one of them is stored
}

// embeddingDim returns the number of dimensions of CLIP vectors, from the image
// normalizer's configuration alone.
func (m *Model) embeddingDim() (int, error) {
	return configOf(m, weights.ImageNormalizer, parseNormalizer)
}

// parseNormalizer returns embedding_dim, or diffusers' default if it is absent
// (diffusers:src/diffusers/pipelines/stable_diffusion/stable_unclip_image_normalizer.py).
func parseNormalizer(data []byte) (int, error) {
	cfg := struct {
		EmbeddingDim int `json:"embedding_dim"`
	}{768}
	if err := config.Decode(data, &cfg, nil); err != nil {
		return 0, err
	}
	var k config.Checker
	k.Range("embedding_dim", cfg.EmbeddingDim, 1, maxEmbeddingDim)
	return cfg.EmbeddingDim, k.Err
}

const maxEmbeddingDim = 1 << 16

func (m *Model) loadNormalizer() (*normalizer, error) {
	dim, err := m.embeddingDim()
	if err != nil {
		return nil, err
	}
	return network(context.Background(), m, weights.ImageNormalizer, dim, func(s *weights.Scope, dim int) *normalizer {
		mean, std := s.Tensor("mean", 1, dim), s.Tensor("std", 1, dim)
		return &normalizer{mean.Float32s(), std.Float32s(), mean.DType == weights.BF16 || std.DType == weights.BF16}
	})
}
