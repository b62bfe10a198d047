package unet

import (
	"errors"
	"fmt"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/nn/config"
)

// Config describes the network. The JSON names are the keys of config.json.
type Config struct {
	SampleSize        Side        `json:"sample_size"` // side of the training latents; 0 if absent
	InChannels        int         `json:"in_channels"`
	OutChannels       int         `json:"out_channels"`
	BlockOutChannels  []int       `json:"block_out_channels"` // of each level
	DownBlockTypes    []string    `json:"down_block_types"`
	UpBlockTypes      []string    `json:"up_block_types"`
	MidBlockType      MidBlock    `json:"mid_block_type"`
	LayersPerBlock    config.Ints `json:"layers_per_block"`
	TransformerLayers config.Ints `json:"transformer_layers_per_block"`

	// AttentionHeadDim has the numbers of heads, in spite of its name
	// (huggingface/diffusers#2011).
	AttentionHeadDim  config.Ints `json:"attention_head_dim"`
	CrossAttentionDim config.Ints `json:"cross_attention_dim"`

	UseLinearProjection bool    `json:"use_linear_projection"`
	NormNumGroups       int     `json:"norm_num_groups"`
	NormEps             float64 `json:"norm_eps"`
	ActFn               string  `json:"act_fn"`
	CenterInputSample   bool    `json:"center_input_sample"`
	FlipSinToCos        bool    `json:"flip_sin_to_cos"`
	FreqShift           float32 `json:"freq_shift"`
	TimeEmbeddingDim    int     `json:"time_embedding_dim"` // 0 for four times the first level's channels
	ClassEmbedType      string  `json:"class_embed_type"`   // "projection", or empty for no class vector
	ClassEmbeddingsDim  int     `json:"projection_class_embeddings_input_dim"`
}

// Block types by name.
const (
	crossDown = "CrossAttnDownBlock2D"
	plainDown = "DownBlock2D"
	crossUp   = "CrossAttnUpBlock2D"
	plainUp   = "UpBlock2D"
	crossMid  = "UNetMidBlock2DCrossAttn"
	plainMid  = "UNetMidBlock2D"
)

// A Side is a size in pixels: a number, or the first of a list.
type Side int

// UnmarshalJSON accepts a number, a list or null.
func (s *Side) UnmarshalJSON(b []byte) error {
	var n config.Ints
	if err := n.UnmarshalJSON(b); err != nil {
		return err
	}
	if len(n) > 0 {
		*s = Side(n[0])
	}
	return nil
}

// A MidBlock is the type of the middle block. Null in the file, unlike an
// absent key, means no middle block.
type MidBlock string

// UnmarshalJSON accepts a string or null.
func (m *MidBlock) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*m = ""
		return nil
	}
	if len(b) <= 2 || b[0] != '"' {
		return errors.New("neither the name of a block nor null")
	}
	*m = MidBlock(b[1 : len(b)-1])
	return nil
}

// fixed lists the arguments of UNet2DConditionModel's constructor for which
// this package supports only one value.
var fixed = []config.Fixed{
	{Key: "_class_name", Allowed: []string{`"UNet2DConditionModel"`}},
	{Key: "num_attention_heads", Allowed: []string{"null"}}, // as in diffusers; see AttentionHeadDim
	{Key: "only_cross_attention", Allowed: []string{"false"}},
	{Key: "mid_block_only_cross_attention", Allowed: []string{"null", "false"}},
	{Key: "dual_cross_attention", Allowed: []string{"false"}},
	{Key: "downsample_padding", Allowed: []string{"1"}},
	{Key: "mid_block_scale_factor", Allowed: []string{"1", "1.0"}},
	{Key: "resnet_out_scale_factor", Allowed: []string{"1", "1.0"}},
	{Key: "resnet_time_scale_shift", Allowed: []string{`"default"`}},
	{Key: "resnet_skip_time_act", Allowed: []string{"false"}},
	{Key: "encoder_hid_dim", Allowed: []string{"null"}},
	{Key: "encoder_hid_dim_type", Allowed: []string{"null"}},
	{Key: "addition_embed_type", Allowed: []string{"null"}},
	{Key: "num_class_embeds", Allowed: []string{"null"}},
	{Key: "class_embeddings_concat", Allowed: []string{"false"}},
	{Key: "time_embedding_type", Allowed: []string{`"positional"`}},
	{Key: "time_embedding_act_fn", Allowed: []string{"null"}},
	{Key: "timestep_post_act", Allowed: []string{"null"}},
	{Key: "time_cond_proj_dim", Allowed: []string{"null"}},
	{Key: "conv_in_kernel", Allowed: []string{"3"}},
	{Key: "conv_out_kernel", Allowed: []string{"3"}},
	{Key: "attention_type", Allowed: []string{`"default"`}},
	{Key: "cross_attention_norm", Allowed: []string{"null"}},
	{Key: "reverse_transformer_layers_per_block", Allowed: []string{"null"}},
}

// ParseConfig parses and validates a config.json. Absent keys have the defaults
// of diffusers' UNet2DConditionModel.
func ParseConfig(data []byte) (Config, error) {
	c := Config{
		InChannels: 4, OutChannels: 4,
		BlockOutChannels:  []int{320, 640, 1280, 1280},
		DownBlockTypes:    []string{crossDown, crossDown, crossDown, plainDown},
		UpBlockTypes:      []string{plainUp, crossUp, crossUp, crossUp},
		MidBlockType:      crossMid,
		LayersPerBlock:    config.Ints{2},
		TransformerLayers: config.Ints{1},
		AttentionHeadDim:  config.Ints{8},
		CrossAttentionDim: config.Ints{1280},
		NormNumGroups:     32, NormEps: 1e-5, ActFn: "silu", FlipSinToCos: true,
	}
	if err := config.Decode(data, &c, fixed); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

// Validate returns an error that names the first key with an unsupported value.
func (c Config) Validate() error {
	var k config.Checker
	levels := len(c.BlockOutChannels)
	k.Must(levels >= 1 && levels <= config.MaxLevels, "block_out_channels", c.BlockOutChannels, fmt.Sprintf("a list of 1 to %d", config.MaxLevels))
	k.Must(len(c.DownBlockTypes) == levels, "down_block_types", c.DownBlockTypes, fmt.Sprintf("a list of %d", levels))
	k.Must(len(c.UpBlockTypes) == levels, "up_block_types", c.UpBlockTypes, fmt.Sprintf("a list of %d", levels))
	k.Range("sample_size", int(c.SampleSize), 0, 1<<16)
	k.Range("in_channels", c.InChannels, 1, config.MaxChannels)
	k.Range("out_channels", c.OutChannels, 1, config.MaxChannels)
	k.Range("norm_num_groups", c.NormNumGroups, 1, config.MaxChannels)
	k.Eps("norm_eps", c.NormEps)
	k.Activation("act_fn", c.ActFn)
	k.Levels("layers_per_block", c.LayersPerBlock, levels, 1, config.MaxLayers)
	k.Levels("transformer_layers_per_block", c.TransformerLayers, levels, 1, config.MaxLayers)
	k.Levels("attention_head_dim", c.AttentionHeadDim, levels, 1, config.MaxChannels)
	k.Levels("cross_attention_dim", c.CrossAttentionDim, levels, 1, config.MaxChannels)
	k.Range("time_embedding_dim", c.TimeEmbeddingDim, 0, config.MaxChannels)
	k.Finite("freq_shift", float64(c.FreqShift))
	c.checkClass(&k)
	c.checkBlocks(&k)
	return k.Err
}

func (c Config) checkClass(k *config.Checker) {
	k.Must(c.ClassEmbedType == "" || c.ClassEmbedType == "projection", "class_embed_type", fmt.Sprintf("%q", c.ClassEmbedType), "projection or null")
	if c.ClassEmbedType != "" {
		k.Range("projection_class_embeddings_input_dim", c.ClassEmbeddingsDim, 1, config.MaxChannels)
	}
}

// checkBlocks checks the levels. It runs last, because it needs lists of the
// right length.
func (c Config) checkBlocks(k *config.Checker) {
	if k.Err != nil {
		return
	}
	context, blocks := 0, 0
	for i, ch := range c.BlockOutChannels {
		down, up := c.DownBlockTypes[i], c.UpBlockTypes[c.levels()-1-i]
		k.Range("block_out_channels", ch, 1, config.MaxChannels)
		k.Must(ch%c.NormNumGroups == 0, "norm_num_groups", c.NormNumGroups, fmt.Sprintf("a divisor of block_out_channels, %v", c.BlockOutChannels))
		k.Must(down == crossDown || down == plainDown, "down_block_types", fmt.Sprintf("%q", down), crossDown+" or "+plainDown)
		k.Must(up == crossUp || up == plainUp, "up_block_types", fmt.Sprintf("%q", up), crossUp+" or "+plainUp)
		mid := i == c.levels()-1 && c.MidBlockType == crossMid
		blocks += 2*c.LayersPerBlock.At(i) + 1
		if down == crossDown || up == crossUp || mid {
			heads := c.AttentionHeadDim.At(i)
			k.Must(heads <= ch, "attention_head_dim", heads, fmt.Sprintf("at most the level's %d channels", ch))
			k.Must(context == 0 || context == c.CrossAttentionDim.At(i), "cross_attention_dim", c.CrossAttentionDim, "the same at all levels")
			context = c.CrossAttentionDim.At(i)
			blocks += (2*c.LayersPerBlock.At(i) + 2) * c.TransformerLayers.At(i)
		}
	}
	k.Must(c.MidBlockType == crossMid || c.MidBlockType == plainMid || c.MidBlockType == "", "mid_block_type", fmt.Sprintf("%q", c.MidBlockType), crossMid+", "+plainMid+" or null")
	half := float32(c.BlockOutChannels[0] / 2)
	k.Must(half > c.FreqShift, "freq_shift", c.FreqShift, "below half of the first level's channels")
	k.Must(blocks <= config.MaxBlocks, "layers_per_block", c.LayersPerBlock, fmt.Sprintf("small enough for at most %d blocks in all", config.MaxBlocks))
}

func (c Config) levels() int { return len(c.BlockOutChannels) }

func (c Config) timeDim() int {
	if c.TimeEmbeddingDim > 0 {
		return c.TimeEmbeddingDim
	}
	return 4 * c.BlockOutChannels[0]
}

// ContextDim returns the channels of the text context, or 0 if no level has
// cross-attention.
func (c Config) ContextDim() int {
	for i := range c.levels() {
		if c.crossAttention(i) {
			return c.CrossAttentionDim.At(i)
		}
	}
	return 0
}

func (c Config) crossAttention(level int) bool {
	return c.DownBlockTypes[level] == crossDown || c.UpBlockTypes[c.levels()-1-level] == crossUp ||
		level == c.levels()-1 && c.MidBlockType == crossMid
}

func (c Config) act() nn.Activation {
	act, _ := config.Activation(c.ActFn) // Validate has checked it
	return act
}
