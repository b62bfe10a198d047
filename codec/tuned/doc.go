// Package tuned is how the tuned profile makes symbols of numbers and numbers of symbols, where package stream does what the
// paper does. It spends the bits where the values are.
//
// # The vector
//
// A dimension of the CLIP vector has a mean and a deviation, which the model's image normaliser knows (rounded to float16, as
// everything about a file). The t bits of a vector go where they take most from the mean square error. The j-th bit of a
// dimension takes the square of gains[j] times its deviation: of all pairs of a dimension and one of its five bits, ordered by
// that product, the largest first, and then by dimension, the first t are the bits there are. Dimensions that vary little
// get none, and are their mean.
//
// The codes of all dimensions in their order are one string of bits, with zeros before it, and a dimension's value is read
// from a table by the last twelve bits of the string up to and with its own: s stands for
//
//	mean + deviation g c level[s],  level[s] = the normal distribution's quantile at (j + 1/2)/4096,
//	j = 1229 s mod 4096;  j = j xor floor(j/128);  j = 3313 j mod 4096;  j = j xor floor(j/64)
//
// with c = 7/8 for a dimension of one bit and 1 for the others, and g = 2^((1 - spread)/4), for how far the picture is from what
// the model knows, two bits of a file. So every bit has a say in the values of its own dimension and
// of those that follow: it is a vector quantiser (a trellis-coded one, with a computed code book). The encoder looks for the
// string that loses least, by Viterbi's algorithm. A bit for each dimension leaves 0.28 of a normal value's mean square
// error, where the best quantiser of each value for itself (Lloyd, Max) leaves 0.36 and none can leave less than 0.25; two
// bits leave 0.071 (0.118, 0.063), three 0.019 (0.035, 0.016).
//
// # The colour map
//
// The map is averaged over the whole picture. Its planes are those of package stream, Y, U and V, but the levels of each are
// evenly spread over a [Range] of its own, nine bits of a file: Y over [Low/16, 1 - High/16], U and V over [1/2 - r, 1/2 + r]
// with r = 2^(-1 - Chroma/2). In the range [lo, hi] code k of b bits stands for lo + (k + 1/2)/2^b (hi - lo).
package tuned
