// Package unet is diffusers' UNet2DConditionModel
// (diffusers:src/diffusers/models/unets/unet_2d_condition.py) with a projected
// class embedding, as in Stable unCLIP 2.1: the network that predicts the noise
// (or v) in a latent from the latent, a timestep, a text context and an image
// embedding.
//
// # What is computed when
//
// The text context is constant while a picture is decoded: the keys and values
// of all cross-attentions are computed once, by [Model.Context]. Timestep and
// class vector enter the network once per [Model.Forward], as one vector. Every
// residual block projects its activated form to a bias of the block's first
// convolution.
//
// # Sizes
//
// Latents may have any height and width. Each level on the way down halves
// them, rounding up. On the way up, each level is enlarged to the size of its
// skip connection, like upsample_size in diffusers.
package unet
