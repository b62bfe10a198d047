// Package codec turns a picture into about 120 bytes and back: CoCliCo
// (Bachard, Bordin, Maugey, PCS 2024). A file keeps what a picture shows, as a
// CLIP vector of one bit for each of 768 dimensions, and where its colors are,
// as a map of 8 x 8 pixels. The decoder paints a new picture from both, with a
// diffusion model, Stable unCLIP.
//
//	c, err := codec.Open("stable-diffusion-2-1-unclip-i2i-l")
//	...
//	defer c.Close()
//	data, err := c.Encode(ctx, img, nil)     // nil options reproduce the paper
//	again, err := c.Decode(ctx, data, nil)   // an image.Image
//
// A model is a folder as diffusers saves it. Encode opens its image encoder and
// image normalizer, Decode everything but the image encoder, each when it is
// first called. [BuiltIn] is a small model that is part of the program.
//
// # Files
//
// [Parse] reads a file's header and color map without a model: which model,
// which sampling, which shape, how many bytes each part takes. [Codec.Vector]
// reads the CLIP vector, and [Codec.Paint] paints a parsed file. FORMAT.md,
// beside this package, specifies the format; package format reads and writes
// it, package quant says what its symbols stand for.
//
// # Progress
//
// A decode with the real model takes minutes. [DecodeOptions].Progress counts
// its steps, Preview shows each of them as a small picture, and Partial rescues
// the last of them when the context ends.
//
// # Candidates
//
// A file says what a picture shows, not what each leaf looks like: that comes
// from the seed of the noise. [EncodeOptions].Candidates tries some seeds and
// keeps the best one, for a byte.
//
// # Memory
//
// The networks run one after another, and by default none stays in memory for
// the next, so the peak is that of the largest. [Codec.KeepNetworks] and
// [DecodeOptions].LowMemory trade memory for time. Calls that run at the same
// time share the networks' weights, but each has activations of its own. Most of
// both is invisible to GOMEMLIMIT and runtime.MemStats on Linux, where blocks of
// 2 MiB or more come straight from the system: bound the number of calls. One
// that is refused such a block returns a [MemoryError].
//
// # Errors
//
// Bad data is an error and never a panic: a [FormatError] for bytes, an
// [UnsupportedError] for pictures and files of a later version, a [*ModelError]
// for files of another model, a [PromptError] for a prompt that the model cannot
// read, an [OptionError] for options, a [MemoryError] if the system refuses the
// memory of a network, and errors that begin with a file's name for a model's
// files. When the context ends, its error is returned within one block of a
// network.
package codec
