package solver

import (
	"fmt"
	"math"
)

// Noising adds noise to image embeddings as Stable unCLIP does, with the schedule of a DDPM (image_noising_scheduler).
type Noising struct {
	alphasCumprod []float32
}

// ParseNoising reads image_noising_scheduler/scheduler_config.json as DDPMScheduler.from_config does. Only what add_noise depends
// on is read: the betas. Absent keys have diffusers' defaults.
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

// Levels returns the number of noise levels: 0 .. Levels()-1.
func (n *Noising) Levels() int { return len(n.alphasCumprod) }

// AlphasCumprod returns the share of the signal's variance that is left at each level. Do not change it.
func (n *Noising) AlphasCumprod() []float32 { return n.alphasCumprod }

// Condition returns the class vector of Stable unCLIP: the noised embedding and the embedding of the level,
// [2*len(embeds)] values (noise_image_embeddings, diffusers:src/diffusers/pipelines/stable_diffusion/pipeline_stable_unclip_img2img.py).
// embeds, mean, std (the image normaliser's) and noise (standard normal, or nil for none) have one length. It reports a level
// that the schedule does not have.
//
// The pipeline scales to z = (embeds-mean)/std, noises z, and scales back. The division cancels:
//
//	(sqrt(a) z + sqrt(1-a) noise) std + mean = mean + sqrt(a) (embeds-mean) + sqrt(1-a) std noise
//
// Even level 0 is not free of noise: sqrt(1-a) is 0.0064 for the published schedule.
func (n *Noising) Condition(embeds, mean, std []float32, level int, noise []float32) ([]float32, error) {
	dim := len(embeds)
	if len(mean) != dim || len(std) != dim || noise != nil && len(noise) != dim {
		panic("solver: lengths differ")
	}
	if level < 0 || level >= n.Levels() {
		return nil, fmt.Errorf("solver: noise level %d is outside 0..%d", level, n.Levels()-1)
	}
	bar := n.alphasCumprod[level]
	signal, spread := math.Sqrt(float64(bar)), math.Sqrt(float64(1-bar))
	out := make([]float32, dim, 2*dim)
	for i, e := range embeds {
		m := float64(mean[i])
		v := m + signal*(float64(e)-m)
		if noise != nil {
			v += spread * float64(std[i]) * float64(noise[i])
		}
		out[i] = float32(v)
	}
	return append(out, TimestepEmbedding(float64(level), dim, true, 0)...), nil
}

// TimestepEmbedding returns dim sinusoids of t (get_timestep_embedding, diffusers:src/diffusers/models/embeddings.py): with
// half = dim/2 and w[i] = 10000^(-i/(half-shift)), the values sin(t w[i]) and then cos(t w[i]), or cosines first when
// flipped, and a zero if dim is odd. shift is downscale_freq_shift. Frequencies and angles are rounded to float32 as
// PyTorch rounds them: at t = 999 that rounding moves an angle by up to 3e-5.
func TimestepEmbedding(t float64, dim int, flipSinToCos bool, shift float64) []float32 {
	half := dim / 2
	if half > 0 && float64(half) == shift {
		panic("solver: downscale_freq_shift is half the dimension")
	}
	out := make([]float32, dim)
	sin, cos := out[:half], out[half:2*half]
	if flipSinToCos {
		sin, cos = cos, sin
	}
	for i := range half {
		exponent := float32(-math.Log(10000)) * float32(i) / float32(float64(half)-shift)
		angle := float32(t) * float32(math.Exp(float64(exponent)))
		s, c := math.Sincos(float64(angle))
		sin[i], cos[i] = float32(s), float32(c)
	}
	return out
}
