// Package quant turns pictures and CLIP vectors into the symbols of package
// format, and symbols back into numbers, and gives the same codes on every
// machine. [Project] moves a painted picture's colors into the levels of its
// file; it need not be the same everywhere.
//
// # The paper's vector
//
// Equation 3 of the paper on [-1, 1] with 2^a levels, that is with the step q =
// 2^(1-a): the code of x is floor(x/q) + 2^(a-1), clamped to 0 .. 2^a - 1, and
// stands for (code - 2^(a-1) + 1/2) q. With one bit that is the sign: code 1
// for x >= 0 stands for +0.5, code 0 for -0.5.
//
// # The paper's color map
//
// The map is the picture at n x n pixels, in full-range BT.601 YUV of RGB in
// [0, 1],
//
//	Y = 0.299 R + 0.587 G + 0.114 B     U = (B - Y)/1.772 + 1/2     V = (R - Y)/1.402 + 1/2
//
// with U and V averaged over 2 x 2 pixels. The code of a sample c is floor(c
// 2^b), clamped to 0 .. 2^b - 1, and stands for (code + 1/2) / 2^b. Back in
// RGB, a sample of U and V serves its four pixels, and R, G and B are clamped
// to [0, 1].
//
// # The tuned vector
//
// A dimension of the CLIP vector has a mean and a deviation, which the model's
// image normalizer knows (rounded to float16, like everything a file depends
// on). The t bits of a vector go where they remove most of the mean square
// error: [format.Allocate]. Dimensions that vary little get none, and stand for
// their mean.
//
// The codes of all dimensions in order are one string of bits, preceded by
// zeros, and the value of a dimension is read from a table by the last twelve
// bits of the string up to and including its own: s stands for
//
//	mean + deviation g c level[s],  level[s] = the normal distribution's quantile at (j + 1/2)/4096,
//	j = 1229 s mod 4096;  j = j xor floor(j/128);  j = 3313 j mod 4096;  j = j xor floor(j/64)
//
// with c = 7/8 for a dimension of one bit and 1 for the others, and g = 2^((1 -
// spread)/4), for how far the picture is from what the model knows, two bits of
// a file. So every bit has a say in the values of its own dimension and of
// those that follow: it is a trellis-coded vector quantizer with a computed
// code book. The encoder looks for the string that loses least, by Viterbi's
// algorithm. A bit for each dimension leaves 0.28 of a normal variable's mean
// square error, where the best quantizer of each value for itself (Lloyd, Max)
// leaves 0.36 and none can leave less than 0.25; two bits leave 0.071 (0.118,
// 0.063), three 0.019 (0.035, 0.016).
//
// # The tuned color map
//
// The map is averaged over the whole picture. Its planes are those of the
// paper's, Y, U and V, but the levels of each are evenly spread over a range of
// its own, nine bits of a file: in the range [lo, hi] code k of b bits stands
// for lo + (k + 1/2)/2^b (hi - lo). Y has [Low/16, 1 - High/16]. U and V have
// [1/2 - r, 1/2 + r] with r = 2^(-1 - Chroma/2), moved up by half a step, r/2^b,
// if b > 1: then code 2^(b-1) - 1 stands for 1/2, and gray stays gray. With one
// bit and Chroma = 7 both codes stand for 1/2.
package quant
