package unet

import (
	"strings"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/weights"
)

func TestParseConfigErrors(t *testing.T) {
	for _, c := range []struct{ in, err string }{
		{`{}`, ""}, // Stable Diffusion's first UNet
		{`{"num_attention_heads": null, "attention_head_dim": [5, 10, 20, 20]}`, ""},
		{`{"num_attention_heads": 4, "attention_head_dim": [5, 10, 20, 20]}`, `num_attention_heads is 4, which is not supported: it must be null`},
		{`{"act_fn": "mish"}`, `act_fn is "mish"`},
		{`{"_class_name": "UNet2DModel"}`, `_class_name is "UNet2DModel"`},
		{`{"class_embed_type": "timestep"}`, `class_embed_type is "timestep"`},
		{`{"class_embed_type": "projection"}`, `projection_class_embeddings_input_dim is 0`},
		{`{"down_block_types": ["AttnDownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"]}`, `down_block_types is "AttnDownBlock2D"`},
		{`{"up_block_types": ["UpBlock2D", "UpBlock2D", "UpBlock2D", "SimpleCrossAttnUpBlock2D"]}`, `up_block_types is "SimpleCrossAttnUpBlock2D"`},
		{`{"up_block_types": ["UpBlock2D"]}`, `up_block_types is [UpBlock2D]`},
		{`{"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"}`, `mid_block_type is "UNetMidBlock2DSimpleCrossAttn"`},
		{`{"mid_block_type": 3}`, `mid_block_type: neither`},
		{`{"mid_block_type": ""}`, `mid_block_type: neither`},
		{`{"norm_num_groups": 48}`, `norm_num_groups is 48`},
		{`{"norm_num_groups": 0}`, `norm_num_groups is 0`},
		{`{"block_out_channels": []}`, `block_out_channels is []`},
		{`{"block_out_channels": [320, 640, 1280, -1280]}`, `block_out_channels is -1280`},
		{`{"attention_head_dim": [5, 10]}`, `attention_head_dim is [5 10]`},
		{`{"attention_head_dim": 400}`, `attention_head_dim is 400`},
		{`{"cross_attention_dim": [8, 8, 16, 8]}`, `cross_attention_dim is [8 8 16 8]`},
		{`{"layers_per_block": 256, "transformer_layers_per_block": 256}`, `layers_per_block is [256]`},
		{`{"only_cross_attention": [false, true, false, false]}`, `only_cross_attention is [false, true, false, false]`},
		{`{"addition_embed_type": "text_time"}`, `addition_embed_type is "text_time"`},
		{`{"transformer_layers_per_block": [[1], [1], [1], [1]]}`, `[[1],[1],[1],[1]]`},
		{`{"freq_shift": 160}`, `freq_shift is 160`},
		{`{"freq_shift": 159.9999999}`, `freq_shift is 160`}, // rounded to float32, as in use
		{`{"freq_shift": -1e300}`, `freq_shift is a number -1e300`},
		{`{"down_block_types":["\u001b[2J"]}`, `down_block_types is "[\x1b[2J]"`},
		{`{"In_Channels": 0, "IN_CHANNELS": "x"}`, ""},
		{`{"time_embedding_type": "fourier"}`, `time_embedding_type is "fourier"`},
		{`{"flip_sin_to_cos": null}`, `flip_sin_to_cos is null`},
		{`{"downsample_padding": 0}`, `downsample_padding is 0`},
	} {
		_, err := ParseConfig([]byte(c.in))
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.in, err, c.err)
		}
	}
}

// TestMidBlock: null means no middle block, an absent key means the default.
func TestMidBlock(t *testing.T) {
	for in, want := range map[string]bool{`{}`: true, `{"mid_block_type": null}`: false} {
		c, err := ParseConfig([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := New(weights.Recorder().Scope(), c).MidBlock != nil; got != want {
			t.Errorf("%s: middle block %v, want %v", in, got, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"block_out_channels": [65536], "down_block_types": ["CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D"],
		"layers_per_block": 256, "norm_num_groups": 65536}`))
	nntest.FuzzConfig(f, 1<<17, func(data []byte, s *weights.Scope) error {
		c, err := ParseConfig(data)
		if err == nil {
			New(s, c)
		}
		return err
	})
}
