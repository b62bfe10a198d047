// Package weights reads named tensors: the parts of a diffusers model folder,
// single safetensors files, and weights that are computed instead of stored.
//
// # Reading a model
//
// A [Folder] is a diffusers model: model_index.json, one folder a part, and in
// it a config.json beside one or more safetensors files. [Folder.Part] opens a
// part as a [Store], memory-mapped, and a model's constructor reads the store
// through a [Scope], asking for every tensor by its checkpoint name and with
// the shape that its configuration implies:
//
//	w := store.Scope().Optional("text_model").Sub("encoder.layers.0.self_attn")
//	q := w.Sub("q_proj").Tensor("weight", hidden, hidden)
//
// Asking never fails. A tensor that is missing, of another shape or of a type
// that is no float comes back without data, and is remembered; when the
// constructor has run, [Store.Err] reports everything that was missing,
// mis-shaped or left unread as one [LoadError], and [Store.CheckFinite] reads
// the values of what was asked for and refuses a NaN or an infinity. A caller
// that reads a model's values calls both first.
//
// Two rules make old and new checkpoints look alike. Trailing dimensions of 1
// are ignored when shapes are compared, so that a 1x1 convolution [C,C,1,1]
// serves as a linear layer [C,C] and the other way round. And a name may have
// several spellings: [Scope.First] and [Scope.Optional] choose the one that is
// there. Names that end in position_ids may stay unread; what else a
// constructor leaves out on purpose it states with [Scope.Ignore].
//
// # Weights without a file
//
// [Synthetic] answers every name with the values of a law (synth.go) that
// depends on the name, the shape and a seed alone, and [Recorder] only notes
// what it is asked. Together they write a model of any size: a recorder under
// a model's constructor yields the list of tensors, and [WriteSynthetic] the
// file. In both, every name exists, the first spelling of [Scope.First] is
// taken and [Scope.Optional] goes into the sub-scope; a constructor must
// therefore decide by its configuration, never by what is there, whether a
// layer exists.
//
// # Files that lie
//
// Everything that a file states is checked before it is believed: the header's
// length against the file and a limit of 8 MiB (the format allows 100 MB, the
// largest part of Stable unCLIP has 0.1), names for duplicates, shapes for
// overflow, offsets for gaps, overlaps and the file's end. A tensor's data is
// a view of the file and never a copy, so what a header claims allocates
// nothing. Errors are one line and begin with the file they are about. A file
// that is cut while it is mapped is beyond help: the operating system then
// ends the process.
package weights
