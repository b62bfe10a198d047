// Package nn has the layers that the networks of package vit, unet and vae are
// built of, the tensor that flows between them and the workspace in which it
// lives.
//
// # Activations
//
// A [Tensor] is float32 in the order [N,H,W,C]; tokens are a picture of H*W
// rows of C channels. A 1x1 convolution is then a linear layer, attention
// needs no transpose, and a norm writes the next product's operand. The
// residual stream stays float32; an [Operand] is the narrowed left factor of a
// product at the workspace's precision, and lives from the norm or product
// that writes it to the product that reads it.
//
// # Layers
//
// A layer is a struct whose fields are named as the checkpoint names its
// parts, a constructor that reads them from a [Scope], and Forward. Shapes
// have been proven by the configuration's Validate and the weights' strict
// report when Forward runs: what does not fit is a bug and panics with a
// constant string.
//
// # Ownership
//
// Forward consumes the tensors it is given: it puts them back in the workspace
// when it has read them for the last time, or writes its result over them. A
// caller that needs a tensor afterwards, such as a skip connection, calls
// [Workspace.Keep] first. So a buffer is free from the moment when the last
// layer that reads it is done, which is what keeps the peak low: a decoder's
// largest tensors have hundreds of megabytes. Operands are not shared; who
// makes one puts it back.
//
// # Weights
//
// Layers keep the checkpoint's tensors as they lie in the file. A [Weight] is
// packed for the machine's multiplier when a product first uses it, once for
// each precision, and its file pages are released; [WeightSet.Release] drops
// the packed forms of a whole model. A workspace with LowMemory keeps none: it
// packs for each product.
//
// # Large pictures
//
// Where the operand between a norm and a convolution would be large, it is made
// and multiplied in bands of rows; see normConv. The results are the same, bit
// for bit.
package nn
