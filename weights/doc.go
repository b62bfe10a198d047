// Package weights reads named tensors: the parts of a diffusers model folder,
// single safetensors files, and weights that are computed instead of stored.
//
// # Reading a model
//
// A [Folder] is a diffusers model: model_index.json and one folder for each
// [Part], which has a config.json beside one or more safetensors files.
// [Folder.Part] opens the weights of a part as a [Store], memory-mapped, and a
// model's constructor reads the store through a [Scope], asking for every
// tensor by its checkpoint name and with the shape that the configuration
// implies:
//
//	w := store.Scope().Optional("text_model").Sub("encoder.layers.0.self_attn")
//	q := w.Sub("q_proj").Tensor("weight", hidden, hidden)
//
// Asking never fails. A tensor that is missing, of another shape or not of
// floats is returned without data, and is remembered. When the constructor has
// run, [Store.Err] reports everything that was missing, of another shape or
// left unread as one [LoadError], and [Store.CheckFinite] reads the values of
// what was asked for and refuses a NaN or an infinity. A caller must call both
// before it uses a model's values.
//
// Two rules make old and new checkpoints look alike. Trailing dimensions of 1
// are ignored when shapes are compared, so that a 1x1 convolution [C,C,1,1]
// serves as a linear layer [C,C] and vice versa. And a name may have several
// spellings: [Scope.First] and [Scope.Optional] choose the one that exists.
// Names that end in position_ids may stay unread; a constructor declares what
// else it leaves out on purpose with [Scope.Ignore].
//
// # Weights without a file
//
// [Synthetic] answers every name with the values of a law (synth.go) that
// depends only on the name, the shape and a seed, and [Recorder] only records
// what it is asked for. Together they write a model of any size: a recorder
// under a model's constructor yields the list of tensors, and [WriteSynthetic]
// writes the file. In both, every name exists, [Scope.First] takes the first
// spelling and [Scope.Optional] goes into the sub-scope; whether a layer
// exists, a constructor must therefore decide by its configuration, and never
// by a file's names.
//
// # Files that lie
//
// Everything in a file is checked before it is used: the header's length
// against the file and a limit of 8 MiB (the format allows 100 MB; the largest
// part of Stable unCLIP has 0.1 MB), names for duplicates, shapes for overflow,
// offsets for gaps, overlaps and the file's end. A tensor's data is a view of
// the file and never a copy, so a header's claims allocate nothing. Every error
// is one line that begins with the name of the file. A file that is truncated
// while it is mapped is beyond help: the operating system ends the process.
package weights
