package solver

import (
	"fmt"
	"math"
)

// Noising adds noise to image embeddings like Stable unCLIP, with the schedule
// of a DDPM (image_noising_scheduler).
type Noising struct {
	alphasCumprod []float32
}

// ParseNoising parses image_noising_scheduler/scheduler_config.json like
// DDPMScheduler.from_config. It uses only the betas, because add_noise depends
// on nothing else. Absent keys have diffusers' defaults.
func ParseNoising(data []byte) (*Noising, error) {
	file := struct {
		Betas
		common
	}{Betas: defaultBetas()}
	if err := decode(data, &file); err != nil {
		return nil, err
	}
	if err := file.common.validate(); err != nil {
		return nil, err
	}
	if err := file.Betas.validate(); err != nil {
		return nil, err
	}
	return &Noising{file.Betas.alphasCumprod()}, nil
}

// Levels returns the number of noise levels, 0..Levels()-1.
func (n *Noising) Levels() int { return len(n.alphasCumprod) }

// AlphasCumprod returns the fraction of the signal's variance that remains at
// each level. The caller must not change it.
func (n *Noising) AlphasCumprod() []float32 { return n.alphasCumprod }

// AddNoise writes the noised embedding to dst, like noise_image_embeddings of
// diffusers:src/diffusers/pipelines/stable_diffusion/pipeline_stable_unclip_img2img.py.
// mean and std are the image normalizer's. noise is standard normal, or nil for
// no noise. All slices have the same length, and dst may be one of the others.
// It is an error if the schedule does not have the level.
//
// The pipeline scales to z = (embeds-mean)/std, noises z, and scales back. The
// division cancels:
//
//	(sqrt(a) z + sqrt(1-a) noise) std + mean = mean + sqrt(a) (embeds-mean) + sqrt(1-a) std noise
//
// Even level 0 adds noise: sqrt(1-a) is 0.0064 for the published schedule.
func (n *Noising) AddNoise(dst, embeds, mean, std []float32, level int, noise []float32) error {
	dim := len(dst)
	if len(embeds) != dim || len(mean) != dim || len(std) != dim || noise != nil && len(noise) != dim {
		panic("solver: lengths differ")
	}
	if level < 0 || level >= n.Levels() {
		return fmt.Errorf("solver: noise level %d is outside 0..%d", level, n.Levels()-1)
	}
	bar := n.alphasCumprod[level]
	signal, spread := math.Sqrt(float64(bar)), math.Sqrt(float64(1-bar))
	for i, e := range embeds {
		m := float64(mean[i])
		v := m + signal*(float64(e)-m)
		if noise != nil {
			v += spread * float64(std[i]) * float64(noise[i])
		}
		dst[i] = float32(v)
	}
	return nil
}
