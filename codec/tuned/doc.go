// Package tuned is how the tuned profile makes symbols of numbers and numbers of symbols, where package stream does what the
// paper does. It spends the bits where the values are.
//
// # The vector
//
// A dimension of the CLIP vector has a mean and a deviation, which the model's image normaliser knows (rounded to float16, as
// everything about a file). Its values are quantised about the mean with the parts and levels that lose least of a normal
// distribution (Lloyd, Max): with c bits, code k stands for the mean plus levels[c-1] times the deviation, mirrored for the
// lower half of the codes; the upper half begins at the mean. No bits stand for the mean.
//
// The t bits of a vector go where they take most from the mean square error. The j-th bit of a dimension takes the square of
// gains[j] times its deviation: of all pairs of a dimension and one of its six bits, ordered by that product, the largest
// first, and then by dimension, the first t are the bits there are. Dimensions that vary little get none.
//
// # The colour map
//
// The map is averaged over the whole picture. Its planes are those of package stream, Y, U and V, but the levels of each are
// evenly spread over a [Range] of its own, nine bits of a file: Y over [Low/16, 1 - High/16], U and V over [1/2 - r, 1/2 + r]
// with r = 2^(-1 - Chroma/2). In the range [lo, hi] code k of b bits stands for lo + (k + 1/2)/2^b (hi - lo).
package tuned

//go:generate sh -c "go run ./lloyd > tables.go"
