package vit

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

func TestParseConfigErrors(t *testing.T) {
	for _, c := range []struct{ in, vision, text string }{
		{`{}`, "", ""},
		{`{"model_type": "siglip_vision_model"}`, `model_type is "siglip_vision_model"`, `model_type is "siglip_vision_model"`},
		{`{"hidden_act": "gelu_new"}`, `hidden_act is "gelu_new"`, `hidden_act is "gelu_new"`},
		{`{"hidden_size": 0}`, `hidden_size is 0`, `hidden_size is 0`},
		{`{"num_attention_heads": 7}`, `num_attention_heads is 7`, `num_attention_heads is 7`},
		{`{"num_hidden_layers": 1000000000}`, `num_hidden_layers is 1000000000`, `num_hidden_layers is 1000000000`},
		{`{"layer_norm_eps": -1}`, `layer_norm_eps is -1`, `layer_norm_eps is -1`},
		{`{"image_size": 4096, "patch_size": 1}`, `patch_size is 1`, ""},
		{`{"patch_size": 225}`, `patch_size is 225`, ""},
		{`{"image_size": 4096, "patch_size": 4096}`, `patch_size is 4096`, ""},
		{`{"num_channels": 4}`, `num_channels is 4`, ""},
		{`{"vocab_size": -5}`, "", `vocab_size is -5`},
		{`{"max_position_embeddings": 99999999}`, "", `max_position_embeddings is 99999999`},
	} {
		_, vision := ParseConfig([]byte(c.in))
		_, text := ParseTextConfig([]byte(c.in))
		for _, r := range []struct {
			err  error
			want string
		}{{vision, c.vision}, {text, c.text}} {
			if (r.err == nil) != (r.want == "") || r.err != nil && !strings.Contains(r.err.Error(), r.want) {
				t.Errorf("%s: error %v, want %q", c.in, r.err, r.want)
			}
		}
	}
}

// TestNames checks the number of parameters of the published towers.
func TestNames(t *testing.T) {
	vision, err := ParseConfig([]byte(`{"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
		"num_attention_heads": 16, "patch_size": 14, "projection_dim": 768}`))
	if err != nil {
		t.Fatal(err)
	}
	s := weights.Recorder()
	New(s.Scope(), vision)
	if n := nntest.Params(s); n != 303_966_208 { // CLIP ViT-L/14
		t.Errorf("vision: %d parameters", n)
	}
	text, err := ParseTextConfig([]byte(`{"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16}`))
	if err != nil {
		t.Fatal(err)
	}
	embed, err := ParseTextEmbedConfig([]byte(`{"model_type": "clip", "projection_dim": 768, "vision_config": {"hidden_size": 1024},
		"text_config": {"model_type": "clip_text_model", "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "projection_dim": 512, "eos_token_id": 2}}`))
	if err != nil || embed.EOSTokenID != 2 {
		t.Fatal(embed, err)
	}
	s = weights.Recorder()
	NewTextEmbedder(s.Scope(), embed)
	if n := nntest.Params(s); n != 123_650_304 { // CLIP ViT-L/14
		t.Errorf("text with projection: %d parameters", n)
	}
	s = weights.Recorder()
	NewText(s.Scope(), text)
	if n := nntest.Params(s); n != 340_387_840 { // Stable Diffusion 2's
		t.Errorf("text: %d parameters", n)
	}
}

// TestParseTextEmbedConfig: the text_config of a whole CLIP is read as every other
// key is.
func TestParseTextEmbedConfig(t *testing.T) {
	const text = `"hidden_size": 32, "num_attention_heads": 4`
	for in, want := range map[string]string{
		`{"model_type": "clip", "text_config": {` + text + `}}`:                                    "",
		`{"model_type": "clip", "text_config": null, ` + text + `}`:                                `model_type is "clip"`, // and not "clip_text_model"
		`{"model_type": "clip_text_model", "text_config": null, ` + text + `}`:                     "",
		`{"model_type": "clip_text_model", "TEXT_CONFIG": {"hidden_size": 64}, ` + text + `}`:      "",
		`{"MODEL_TYPE": "clip", "text_config": {"hidden_size": 64}, ` + text + `}`:                 "",
		`{"model_type": "clip", "text_config": {` + text + `}, "Text_config": {"hidden_size": 7}}`: "",
		`{"model_type": "clip", "text_config": {}, "text_config": {` + text + `}}`:                 "text_config appears twice",
		`{"model_type": 5, ` + text + `}`:                                                          "model_type is a number",
	} {
		c, err := ParseTextEmbedConfig([]byte(in))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
		if err == nil && c.HiddenSize != 32 {
			t.Errorf("%s: hidden_size %d", in, c.HiddenSize)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ws := new(nn.Workspace)
	defer ws.Close()
	c := nntest.LoadConfig(t, "odd_patch1.json", ParseConfig)
	x := &nn.Tensor{N: 1, H: c.ImageSize, W: c.ImageSize, C: 3, Data: make([]float32, 3*c.ImageSize*c.ImageSize)}
	if _, err := New(weights.Synthetic(1).Scope(), c).Forward(ctx, ws, x); !errors.Is(err, context.Canceled) {
		t.Errorf("vision: %v", err)
	}
	m := NewText(weights.Synthetic(1).Scope(), nntest.LoadConfig(t, "odd_text.json", ParseTextConfig))
	if _, err := m.Forward(ctx, ws, [][]int{{1, 2}}); !errors.Is(err, context.Canceled) {
		t.Errorf("text: %v", err)
	}
	if ws.InUse() != 0 {
		t.Errorf("%d bytes were not put back", ws.InUse())
	}
}

func FuzzConfig(f *testing.F) {
	nntest.FuzzConfig(f, 1<<13,
		func(data []byte, s *weights.Scope) error {
			c, err := ParseConfig(data)
			if err == nil {
				New(s, c)
			}
			return err
		},
		func(data []byte, s *weights.Scope) error {
			c, err := ParseTextConfig(data)
			if err == nil {
				NewText(s, c)
			}
			return err
		},
		func(data []byte, s *weights.Scope) error {
			c, err := ParseTextEmbedConfig(data)
			if err == nil {
				NewTextEmbedder(s, c)
			}
			return err
		})
}
