// Package unet is diffusers' UNet2DConditionModel
// (diffusers:src/diffusers/models/unets/unet_2d_condition.py) with a projected
// class embedding, as Stable unCLIP 2.1 uses it: the network that predicts, from
// a noisy latent, a time step, a text context and an image embedding, what to
// take away.
//
// # What is computed when
//
// The text context is constant while a picture is decoded: keys and values of
// all cross-attentions are made once, by [Model.Context]. The time step and the
// class vector meet the network once per [Model.Forward], as one vector whose
// activated form every residual block projects to a bias of its first
// convolution.
//
// # Sizes
//
// A latent of any height and width is accepted. Each level halves it, rounding
// up; on the way up a level is brought to the size of the skip connection that
// it meets, as diffusers does with upsample_size.
package unet
