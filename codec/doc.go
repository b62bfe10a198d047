// Package codec turns a picture into 120 bytes and back: CoCliCo (Bachard,
// Bordin, Maugey, PCS 2024). What a picture shows is kept as 768 bits of a CLIP
// vector, where its colours are as a map of 8 x 8 pixels. The decoder, Stable
// unCLIP, paints a new picture of both.
//
//	c, err := codec.Open("stable-diffusion-2-1-unclip-small")
//	...
//	defer c.Close()
//	data, err := c.Encode(ctx, img, nil)     // 120 bytes
//	again, err := c.Decode(ctx, data, nil)   // 768 x 768 pixels
//
// A model is a folder as diffusers saves it. Encode opens its image encoder
// alone, Decode everything else, and both only when they are first called.
// [BuiltIn] is a small model that is part of the program.
//
// # The format
//
// A stream has no header: model and [Format] are known on both sides. With d
// the CLIP vector's dimensions, a bits for each, a map of n x n pixels and b
// bits for each of its samples, it is a string of bits, each byte's most
// significant first, each code's most significant first:
//
//	bits            meaning                                   the paper's
//	d * a           codes of the CLIP vector, in its order    768 * 1
//	n*n * b         codes of Y, in raster order               64 * 2
//	n/2*n/2 * b     codes of U, the same                      16 * 2
//	n/2*n/2 * b     codes of V, the same                      16 * 2
//	0 to 7          zeros, up to a whole byte                 0
//
// Package stream has the format's definition: limits, what each code stands
// for, an example bit by bit, and every error. Any string of bits of the right
// length is a picture; reading it never touches a float that came out of a
// network.
//
// # The encoder's journey
//
// The centre square of the picture, transparency laid over white, becomes (1)
// the colour map: bilinear interpolation, YUV 4:2:0, quantised; (2) the CLIP
// tower's pixels: bicubic resize and normalisation as transformers has them.
// The tower's projected vector, not normalised, is quantised on [-1, 1]: with
// one bit, to its signs. The tower computes as exactly as float32.
//
// # The decoder's journey
//
//  1. The codes become a vector and a small RGB picture again.
//  2. The vector is noised at level 0 (which draws it towards the mean by
//     2e-5) and gets the level's embedding: the class vector.
//  3. The prompt is empty: one constant of the model, computed once.
//  4. The colour map, enlarged bilinearly to the picture's size, goes through
//     the VAE's encoder; the posterior's mean times the scaling factor is the
//     latent to start from.
//  5. Noise is added to it: that of timestep 849 of 1000, where the last
//     int(20 * 0.88) = 17 of the 20 steps begin. It is torch's noise for the
//     seed.
//  6. DPM-Solver++ runs these 17 steps. In each the UNet is evaluated twice in
//     one batch, with a class vector of zeros (its level embedding included)
//     and with the real one; the difference, 12 times, is added to the first.
//  7. The VAE's decoder makes the picture: round(255 clamp(x/2 + 1/2)).
//
// The networks come one after another and none stays for the next, so that the
// peak of memory is the largest one's. See [Codec.KeepNetworks].
//
// # Errors
//
// Bad data is an error and never a panic: [FormatError] for bytes,
// [UnsupportedError] for pictures, [OptionError] for options, and for the
// files of a model errors that begin with the file's name. When the context
// ends, its error is returned within one block of a network.
package codec
