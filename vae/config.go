package vae

import (
	"fmt"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/nn/config"
)

// Config describes the autoencoder. The JSON names are the keys of config.json.
type Config struct {
	InChannels           int         `json:"in_channels"`
	OutChannels          int         `json:"out_channels"`
	LatentChannels       int         `json:"latent_channels"`
	BlockOutChannels     []int       `json:"block_out_channels"` // of each level
	DownBlockTypes       []string    `json:"down_block_types"`
	UpBlockTypes         []string    `json:"up_block_types"`
	LayersPerBlock       int         `json:"layers_per_block"` // in the encoder; the decoder has one more
	NormNumGroups        int         `json:"norm_num_groups"`
	ActFn                string      `json:"act_fn"`
	SampleSize           config.Ints `json:"sample_size"`
	ScalingFactor        float64     `json:"scaling_factor"`
	UseQuantConv         bool        `json:"use_quant_conv"`
	UsePostQuantConv     bool        `json:"use_post_quant_conv"`
	MidBlockAddAttention bool        `json:"mid_block_add_attention"`
}

const (
	downBlock = "DownEncoderBlock2D"
	upBlock   = "UpDecoderBlock2D"
	eps       = 1e-6 // of all norms
)

var fixed = []config.Fixed{
	{Key: "_class_name", Allowed: []string{`"AutoencoderKL"`}},
	{Key: "shift_factor", Allowed: []string{"null", "0", "0.0"}},
	{Key: "latents_mean", Allowed: []string{"null"}},
	{Key: "latents_std", Allowed: []string{"null"}},
}

// ParseConfig parses and validates a config.json. Absent keys have the defaults
// of diffusers' AutoencoderKL.
func ParseConfig(data []byte) (Config, error) {
	c := Config{
		InChannels: 3, OutChannels: 3, LatentChannels: 4,
		BlockOutChannels: []int{64},
		DownBlockTypes:   []string{downBlock},
		UpBlockTypes:     []string{upBlock},
		LayersPerBlock:   1,
		NormNumGroups:    32,
		ActFn:            "silu",
		SampleSize:       config.Ints{32},
		ScalingFactor:    0.18215,
		UseQuantConv:     true, UsePostQuantConv: true, MidBlockAddAttention: true,
	}
	if err := config.Decode(data, &c, fixed); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

// maxLatentChannels bounds the noise that a decoder makes before it reads the
// weights. Known models have 4 to 32 channels.
const maxLatentChannels = 256

// maxLevels bounds the ratio of a picture's sides to those of its latent, by
// 128: programs choose pictures of a few latents a side, which must not be large.
// Stable Diffusion has 4 levels.
const maxLevels = 8

// Validate returns an error that names the first key with an unsupported value.
func (c Config) Validate() error {
	var k config.Checker
	levels := len(c.BlockOutChannels)
	k.Must(levels >= 1 && levels <= maxLevels, "block_out_channels", c.BlockOutChannels, fmt.Sprintf("a list of 1 to %d", maxLevels))
	k.Must(len(c.DownBlockTypes) == levels, "down_block_types", c.DownBlockTypes, fmt.Sprintf("a list of %d", levels))
	k.Must(len(c.UpBlockTypes) == levels, "up_block_types", c.UpBlockTypes, fmt.Sprintf("a list of %d", levels))
	k.Range("in_channels", c.InChannels, 1, config.MaxChannels)
	k.Range("out_channels", c.OutChannels, 1, config.MaxChannels)
	k.Range("latent_channels", c.LatentChannels, 1, maxLatentChannels)
	k.Range("norm_num_groups", c.NormNumGroups, 1, config.MaxChannels)
	k.Range("layers_per_block", c.LayersPerBlock, 1, min(config.MaxLayers, config.MaxBlocks/2/config.MaxLevels-2))
	k.Activation("act_fn", c.ActFn)
	k.Must(len(c.SampleSize) > 0 && len(c.SampleSize) <= 2, "sample_size", c.SampleSize, "one number or two")
	for _, n := range c.SampleSize {
		k.Range("sample_size", n, 1, 1<<16)
	}
	k.Must(c.ScalingFactor > 0 && c.ScalingFactor < 1e6, "scaling_factor", c.ScalingFactor, "above 0 and below 1e6")
	if k.Err != nil {
		return k.Err
	}
	for i, ch := range c.BlockOutChannels {
		k.Range("block_out_channels", ch, 1, config.MaxChannels)
		k.Must(ch%c.NormNumGroups == 0, "norm_num_groups", c.NormNumGroups, fmt.Sprintf("a divisor of block_out_channels, %v", c.BlockOutChannels))
		k.Must(c.DownBlockTypes[i] == downBlock, "down_block_types", fmt.Sprintf("%q", c.DownBlockTypes[i]), downBlock)
		k.Must(c.UpBlockTypes[i] == upBlock, "up_block_types", fmt.Sprintf("%q", c.UpBlockTypes[i]), upBlock)
	}
	return k.Err
}

// Factor returns the ratio of a picture's sides to those of its latent.
func (c Config) Factor() int { return 1 << (len(c.BlockOutChannels) - 1) }

func (c Config) act() nn.Activation {
	act, _ := config.Activation(c.ActFn) // Validate has checked it
	return act
}

func (c Config) resnet(in, out int) nn.ResnetConfig {
	return nn.ResnetConfig{In: in, Out: out, Groups: c.NormNumGroups, Eps: eps, Act: c.act()}
}
