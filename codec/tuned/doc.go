// Package tuned is how the tuned profile makes symbols of numbers and numbers of symbols, where package stream does what the
// paper does. It spends the bits where the values are.
//
// A dimension of the CLIP vector has a mean and a deviation, which the model's image normaliser knows. It is quantised about
// its mean with the parts and levels that are best for the normal distribution (Lloyd, Max), and the bits of a vector go one
// after another to the dimension where the next takes most from the mean square error: dimensions that vary little get
// none, and are their mean.
//
// The colour map is averaged over the whole picture, and each plane's levels are evenly spread over the range that it has:
// luma from low to high, chroma about grey, ranges that a file says in nine bits.
package tuned

//go:generate sh -c "go run ./lloyd > tables.go"
