// Package vae is diffusers' AutoencoderKL
// (diffusers:src/diffusers/models/autoencoders/autoencoder_kl.py, vae.py): an
// encoder from pictures to latents of an eighth of the size, as published, and
// a decoder back.
//
// [Encoder] and [Decoder] are loaded and used apart; a [Model] is both. The
// encoder returns the mean of the posterior, which is also its mode; nothing is
// drawn. Latents are unscaled: a diffusion model sees them times
// [Config].ScalingFactor.
//
// The decoder's last level is where a picture costs most memory: at 768x768 the
// tensor behind the last upsampler has 604 MB, and the block after it turns it
// into two of 302 in the same place. A caller that also holds a UNet in memory
// drops it first.
package vae
