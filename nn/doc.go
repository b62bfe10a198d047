// Package nn provides the layers from which packages vit, unet and vae build
// their networks, the tensor that flows between layers, and the workspace that
// holds it.
//
// # Activations
//
// A [Tensor] is float32 in the order [N,H,W,C]; tokens are a picture of H*W
// rows of C channels. In this order a 1x1 convolution is a linear layer,
// attention needs no transpose, and a norm writes the next product's operand
// directly. The residual stream stays float32. An [Operand] is the left factor
// of a product, narrowed to the workspace's precision; it lives from the norm
// or product that writes it to the product that reads it.
//
// # Layers
//
// A layer is a struct whose fields bear the names of its parts in the
// checkpoint, a constructor that reads them from a [Scope], and a method
// Forward. By the time Forward runs, the configuration's Validate and the
// weights' strict report have checked all shapes: a mismatch is a bug, and
// panics with a constant string.
//
// # Ownership
//
// Forward consumes its tensors: after reading them for the last time it puts
// them back in the workspace, or writes its result over them. A caller that
// needs a tensor afterward, for a skip connection say, calls [Workspace.Keep]
// first. A buffer is thus free as soon as its last reader is done, which keeps
// the peak low: a decoder's largest tensors have hundreds of megabytes.
// Operands are not shared; whoever makes an operand puts it back.
//
// # Weights
//
// Layers keep the checkpoint's tensors as they are in the file. A [Weight] is
// packed for the machine's multiplier when a product first uses it, once per
// precision, and the pages of its file are released. [WeightSet.Release] drops
// the packed forms of a whole model. A workspace with LowMemory keeps no packed
// forms: it packs for each product.
//
// # Large pictures
//
// A large operand between a norm and a convolution of a residual block is made and
// multiplied in bands of rows. The results are the same, bit for bit. The last
// convolution of a network has no bands: less else is in memory by then.
package nn
