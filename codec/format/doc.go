// Package format is the .coclico file: bytes to symbols and back, in integers
// alone. FORMAT.md, beside package codec, is its specification.
//
// [Parse] reads everything that needs no model: the header and the color map.
// The CLIP vector's codes depend on the statistics of the model that made the
// file, its [Prior]. [Marshal] writes a file, [Pack] and [ParseRaw] write and
// read the paper's raw bits. Package quant gives symbols their meaning.
//
// No floating-point number touches a symbol, so that files mean the same on
// every machine; a test holds that.
//
// # Errors
//
// A [FormatError] reports bytes that are no file; an [UnsupportedError] what a
// file cannot hold. Those of this package are listed in errors.go, and constant
// except for the number of a later version. Everything is checked before anything
// is allocated.
package format
