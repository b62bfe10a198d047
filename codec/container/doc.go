// Package container is the .coclico file: a header that says what is needed to paint a picture of it, and the symbols of
// package stream, entropy coded. It knows no model but two facts of it: a fingerprint, and the mean and deviation of each
// dimension of its CLIP vectors. Package codec's comment is the specification of the file.
package container
