package vit

import (
	"encoding/json"
	"fmt"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/nn/config"
)

// A Tower is the part of the configuration that both towers share. The JSON
// names are the keys of transformers' config.json.
type Tower struct {
	HiddenSize        int     `json:"hidden_size"`
	IntermediateSize  int     `json:"intermediate_size"`
	NumHiddenLayers   int     `json:"num_hidden_layers"`
	NumAttentionHeads int     `json:"num_attention_heads"`
	HiddenAct         string  `json:"hidden_act"`
	LayerNormEps      float64 `json:"layer_norm_eps"`
}

// Config describes a CLIPVisionModelWithProjection.
type Config struct {
	Tower
	ImageSize     int `json:"image_size"`
	PatchSize     int `json:"patch_size"`
	NumChannels   int `json:"num_channels"`
	ProjectionDim int `json:"projection_dim"`
}

// TextConfig describes a CLIPTextModel.
type TextConfig struct {
	Tower
	VocabSize             int `json:"vocab_size"`
	MaxPositionEmbeddings int `json:"max_position_embeddings"`
}

// TextEmbedConfig describes a CLIPTextModelWithProjection.
type TextEmbedConfig struct {
	TextConfig
	ProjectionDim int `json:"projection_dim"`
	EOSTokenID    int `json:"eos_token_id"`
}

// ParseConfig parses and validates the config.json of a
// CLIPVisionModelWithProjection. Absent keys have the defaults of transformers'
// CLIPVisionConfig
// (transformers:src/transformers/models/clip/configuration_clip.py).
func ParseConfig(data []byte) (Config, error) {
	c := Config{
		Tower: Tower{
			HiddenSize: 768, IntermediateSize: 3072, NumHiddenLayers: 12, NumAttentionHeads: 12,
			HiddenAct: "quick_gelu", LayerNormEps: 1e-5,
		},
		ImageSize: 224, PatchSize: 32, NumChannels: 3, ProjectionDim: 512,
	}
	if err := config.Decode(data, &c, []config.Fixed{{Key: "model_type", Allowed: []string{`"clip_vision_model"`}}}); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

// ParseTextConfig parses and validates the config.json of a CLIPTextModel.
// Absent keys have the defaults of transformers' CLIPTextConfig.
func ParseTextConfig(data []byte) (TextConfig, error) {
	c := TextConfig{
		Tower: Tower{
			HiddenSize: 512, IntermediateSize: 2048, NumHiddenLayers: 12, NumAttentionHeads: 8,
			HiddenAct: "quick_gelu", LayerNormEps: 1e-5,
		},
		VocabSize: 49408, MaxPositionEmbeddings: 77,
	}
	if err := config.Decode(data, &c, []config.Fixed{{Key: "model_type", Allowed: []string{`"clip_text_model"`}}}); err != nil {
		return TextConfig{}, err
	}
	return c, c.Validate()
}

// ParseTextEmbedConfig parses and validates the config.json of a
// CLIPTextModelWithProjection, or of a whole CLIP: its projection_dim, and its
// text_config for the rest. As in transformers' CLIPModel, the text_config's own
// projection_dim is ignored. Absent keys have the defaults of transformers.
func ParseTextEmbedConfig(data []byte) (TextEmbedConfig, error) {
	whole := struct {
		Model string           `json:"model_type"`
		Text  *json.RawMessage `json:"text_config"` // nil also for null
		Dim   int              `json:"projection_dim"`
	}{Dim: 512}
	if err := config.Decode(data, &whole, nil); err != nil {
		return TextEmbedConfig{}, err
	}
	if whole.Model == "clip" && whole.Text != nil {
		data = *whole.Text
	}
	text, err := ParseTextConfig(data)
	if err != nil {
		return TextEmbedConfig{}, err
	}
	end := struct {
		ID int `json:"eos_token_id"`
	}{49407}
	if err := config.Decode(data, &end, nil); err != nil {
		return TextEmbedConfig{}, err
	}
	c := TextEmbedConfig{text, whole.Dim, end.ID}
	return c, c.Validate()
}

// Validate returns an error that names the first key with an unsupported value.
func (c TextEmbedConfig) Validate() error {
	if err := c.TextConfig.Validate(); err != nil {
		return err
	}
	var k config.Checker
	k.Range("projection_dim", c.ProjectionDim, 1, config.MaxChannels)
	k.Range("eos_token_id", c.EOSTokenID, 0, 1<<22)
	return k.Err
}

// maxPatch bounds the side of a patch: one layer makes a vector of all of its
// numbers, as if they were channels.
const maxPatch = 128

// Validate returns an error that names the first key with an unsupported value.
func (c Config) Validate() error {
	var k config.Checker
	c.Tower.check(&k)
	k.Range("image_size", c.ImageSize, 1, 4096)
	k.Range("patch_size", c.PatchSize, 1, max(1, c.ImageSize))
	k.Range("num_channels", c.NumChannels, 3, 3)
	k.Range("projection_dim", c.ProjectionDim, 1, config.MaxChannels)
	if k.Err == nil {
		k.Must(c.patches() <= 1<<14, "patch_size", c.PatchSize, "large enough for at most 16384 patches")
		k.Must(c.PatchSize <= maxPatch, "patch_size", c.PatchSize, fmt.Sprintf("at most %d", maxPatch))
	}
	return k.Err
}

// Validate returns an error that names the first key with an unsupported value.
func (c TextConfig) Validate() error {
	var k config.Checker
	c.Tower.check(&k)
	k.Range("vocab_size", c.VocabSize, 1, 1<<22)
	k.Range("max_position_embeddings", c.MaxPositionEmbeddings, 1, 1<<14)
	return k.Err
}

func (t Tower) check(k *config.Checker) {
	k.Range("hidden_size", t.HiddenSize, 1, config.MaxChannels)
	k.Range("intermediate_size", t.IntermediateSize, 1, config.MaxChannels)
	k.Range("num_hidden_layers", t.NumHiddenLayers, 1, config.MaxLayers)
	k.Range("num_attention_heads", t.NumAttentionHeads, 1, config.MaxChannels)
	if k.Err == nil {
		k.Must(t.HiddenSize%t.NumAttentionHeads == 0, "num_attention_heads", t.NumAttentionHeads, "a divisor of hidden_size")
	}
	k.Activation("hidden_act", t.HiddenAct)
	k.Eps("layer_norm_eps", t.LayerNormEps)
}

func (t Tower) act() nn.Activation {
	act, _ := config.Activation(t.HiddenAct) // Validate has checked it
	return act
}

// patches returns the number of patches of a picture. A remainder at the right
// and the bottom is ignored, as by a convolution of stride PatchSize.
func (c Config) patches() int {
	side := c.ImageSize / c.PatchSize
	return side * side
}
