// Package codec turns a picture into 120 bytes and back: CoCliCo (Bachard,
// Bordin, Maugey, PCS 2024). What a picture shows is kept as 768 bits of a CLIP
// vector, where its colours are as a map of 8 x 8 pixels. The decoder, Stable
// unCLIP, paints a new picture of both.
//
//	c, err := codec.Open("stable-diffusion-2-1-unclip-small")
//	...
//	defer c.Close()
//	data, err := c.Encode(ctx, img, nil)     // about 107 bytes with the built-in model
//	again, err := c.Decode(ctx, data, nil)   // 768 x 768 pixels
//
// A model is a folder as diffusers saves it. Encode opens its image encoder and
// image normaliser, Decode everything but the former, and both only when they
// are first called. [BuiltIn] is a small model that is part of the program.
//
// # The file
//
// This section, the definitions in packages stream, tuned and rangecoder that
// it names, and the tables of package entropy are the specification of the
// .coclico file, version 1. All of it is arithmetic of integers. A number of n
// bits is written most significant bit first, as bits of a byte are.
//
// Fields are, in this order:
//
//	bits  field                                            values
//	4     magic and version                                12; version v has 11 + v
//	1     profile                                          0 paper, 1 tuned
//	1     extended                                         1 if the next rows are there
//	10    the first bits of the model's fingerprint
//	  1+16  dimensions d of the CLIP vector, less 1        768
//	  1+5   half the side n of the colour map, less 1      4 (n = 8)
//	  1+3   bits b of its samples, less 1                  2
//	  1+4   paper: bits a of a dimension, less 1           1
//	  1+long(5)  tuned: bits t of the whole vector         d
//	  1+6   shape, less 1                                  0, the centre square
//	  1+10  steps, less 1                                  20
//	  1+16  guidance in 1/100                              12.00
//	  1+10  strength in 1/1000                             0.880
//	  1+long(6)  seed                                      0
//	  1     0; 1 is an extension of a later version
//	2     tuned: spread of the vector
//	3+3+3 tuned: low, high and chroma of the map's range
//	...   the symbols
//
// An indented row is a flag and, if the flag is 1, the number; if it is 0 the
// field has the value on the right. long(m) is a number of k bits, the first of
// them 1: k - 1 in m bits, and the k - 1 bits below the first. The fingerprint is that of
// [github.com/coclico/coclico/codec/model.Model.Fingerprint].
//
// Shape 0 is the centre square of the picture. Shape s from 1 to 63 is all of
// it, whose width is 2^((s-32)/12) times its height. The longer side of what is
// painted is the decoder's choice, a multiple of its unit (the VAE's factor); the
// shorter one is the nearest multiple, at least one: with i = |s - 32| and r
// = 2^(-(i mod 12)/12) rounded to 1/65536 and shifted right by floor(i / 12),
// floor(floor(longer r / unit + 32768) / 65536) units.
//
// The symbols of the vector and of the map, codes, are those of package stream
// in the paper's profile, and of package tuned in the other. They are written
// either stored or coded, whichever takes fewer bytes, stored if they are equal.
// A decoder knows which from the number of bytes: as many as the stored form
// has, or fewer.
//
// Stored, they are plain bits: the codes of the vector in the order of its
// dimensions, those of Y, U and V in raster order, each with its number of bits,
// and zeros up to a whole byte. With the paper's parameters these are the bits
// of the raw format: a file is never more than 2 bytes larger. In the tuned
// profile its 11 bits above come before them: never more than 4.
//
// Coded, everything after the first two bytes goes through the range coder of
// package rangecoder as one stream: the header's bits one after another, each
// [0, 32768) or [32768, 65536); then the map, then the vector.
//
// A file has one form. One that its own fields and symbols would not be written
// as is refused: it was cut or changed.
//
// # The colour map in the coder
//
// Planes come in the order Y, U, V, samples in raster order. A sample with code
// c has the value v = (2c+1) 2^(8-b) - 256. Of each sample, 14 features f are
// known before it is read; w, n and so on are the values of its neighbours:
//
//	f0 w   the left one            f4 ww  the second to the left
//	f1 n   the upper one           f5 nn  the second upwards
//	f2 nw  the upper left one      f6     256
//	f3 ne  the upper right one     f7     floor((2y+1) 256 / side) - 256 in row y
//	f8  U, V: luma here, f9 of the sample to the left, f10 of the one above
//	f11 V: U here, f12 of the sample to the left, f13 of the one above
//
// Neighbours that are outside the plane are replaced: w and n of the first
// sample are 0; in the top row n is w, in the left column w is n; nw, ne and nn
// are n, and ww is w. Luma here is the sum of the four Y samples over 4, rounded
// down. For f9, f10, f12 and f13 what is outside is the sample here. Features
// that a plane does not have are 0.
//
// The context has three more numbers. Position: 0 for the first sample, 1 in the
// top row, 2 in the left column, 3 elsewhere. Activity: how many of 1, 64, 128,
// 192, 256, 384, 512, 768 are at most |w-nw| + |n-nw| + |n-ne| + |w-ww| + |n-nn|.
// Cross: for Y, how many of 8 and 16 are at most n, the map's side; for U, how
// many of 1 and 134 are at most |f8-f9| + |f8-f10|; for V, the same of f11, f12
// and f13.
//
// The tables colourModels have weights W and scales S, A, C for each profile,
// each number of bits (five and more have the fifth) and each plane. With
//
//	mean = floor((sum of W[position][i] f[i]) / 128)
//	j    = S[position] + A[activity] + C[cross], limited to 0 .. 63
//	z(k) = floor((k 2^(12-b) - 2048 - mean) inverseScales[j] / 256)
//
// code k has the interval [F(k), F(k+1)) with F(0) = 0, F(2^b) = 65536 and
// between them
//
//	F(k) = k e + floor(colourCurve(z(k)) (65536 - 2^b e) / 65536),  e = max(1, floor(128 / 2^b))
//
// A curve is given at z = 0, 16, ... 2048; between two entries p and q it is
// p + floor((q-p) (z mod 16) / 16), beyond the last one the last one, and for
// negative z it is 65536 less that of -z.
//
// # The vector in the coder
//
// In the tuned profile all codes of a dimension are equally probable: code k of m
// bits, m > 0, has the interval [k, k+1) times 65536 / 2^m.
//
// In the paper's, [4096, 65536) says first that codes have the probabilities
// below, and [0, 4096) that they are equally probable too; an encoder writes the
// former if the product over all dimensions of the probability times 2^m, m the
// modelled bits below, is at least 1. (The product is kept in 32 bits: after
// each factor it is halved, rounded down, until it is below 2^32, from 2^31
// for 1; see package entropy, Vector.common.)
//
// Then, in the order of dimensions, the first m = min(6, a) bits of each code
// are coded as one symbol k with the interval [G(k), G(k+1)), and the rest, if
// any, as one number with equal probabilities. G(k) is F(k) above with m for b,
// gaussCurve for colourCurve, and with M and S the mean and the deviation of the
// dimension in the model's image normaliser, rounded to float16 (to nearest,
// ties to even) and counted in units of 2^-24, of which every float16 is a whole
// number, S at least 1,
//
//	z(k) = floor((k 2^(25-m) - 2^24 - M) 512 / S), limited to -2048 .. 2048
//
// # The raw format
//
// With [EncodeOptions].Raw the bits of the symbols are all there is; model and
// [Format] are known on both sides. With d the CLIP vector's dimensions, a bits
// for each, a map of n x n pixels and b bits for each of its samples:
//
//	bits            meaning                                   the paper's
//	d * a           codes of the CLIP vector, in its order    768 * 1
//	n*n * b         codes of Y, in raster order               64 * 2
//	n/2*n/2 * b     codes of U, the same                      16 * 2
//	n/2*n/2 * b     codes of V, the same                      16 * 2
//	0 to 7          zeros, up to a whole byte                 0
//
// Package stream has its definition: limits, what each code stands for, an
// example bit by bit, and every error. Any string of bits of the right length is
// a picture; reading it never touches a float that came out of a network.
//
// # The encoder's journey
//
// The centre square of the picture, or all of it, transparency laid over white,
// becomes (1) the colour map: bilinear interpolation, YUV 4:2:0, quantised; (2)
// the CLIP tower's pixels: bicubic resize and normalisation as transformers has
// them, a whole picture stretched to the tower's square as in the training of
// Stable unCLIP.
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
// [UnsupportedError] for pictures and for files of a later version,
// [*ModelError], a pointer unlike the others, for files of another model,
// [OptionError] for options, and for the files of a model errors that begin with
// the file's name. When the context ends, its error is returned within one block
// of a network.
package codec
