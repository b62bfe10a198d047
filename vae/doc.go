// Package vae is diffusers' AutoencoderKL
// (diffusers:src/diffusers/models/autoencoders/autoencoder_kl.py, vae.py): an
// encoder from pictures to latents, an eighth of the size in the published
// model, and a decoder from latents to pictures.
//
// [Encoder] and [Decoder] are loaded and used separately; a [Model] is both.
// The encoder returns the mean of the posterior, which is also its mode, and
// draws no random numbers. Latents are unscaled: a diffusion model sees them
// times [Config].ScalingFactor.
//
// The decoder's last level needs the most memory: at 768x768 the tensor after
// the last upsampler has 604 MB, and the following block turns it into two
// tensors of 302 MB in the same place. A caller that also holds a UNet in
// memory should release it first.
package vae
