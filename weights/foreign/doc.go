// Package foreign reads tensors from the files of other programs: PyTorch's
// .pth (torch.save since version 1.6) and NumPy's .npz (numpy.savez).
//
// Both are zip archives whose entries are stored, not compressed, so that a
// tensor's data is a view of the mapped file.
//
// # Pickles
//
// The names and shapes in a .pth file are a pickle: a program for a stack
// machine, which in Python may call any function. This package never calls one.
// Its machine knows the instructions that torch.save writes for a dictionary of
// tensors, reads the names of four kinds of functions as what they describe (a
// dictionary, a tensor, a parameter, a storage), and refuses a file with any
// other. Values that are neither tensors nor dictionaries are skipped.
//
// # Files that lie
//
// Sizes, offsets and strides are checked against the file before they are
// used, and nothing is allocated by a claim. A tensor may have no more elements
// than its storage, and all of them together no more than four times the file's
// bytes: a small file cannot stand for a large one. Directories of more than 16
// MiB and pickles of more than 2 MiB are refused. Checksums are not compared:
// PyTorch can be told to leave them out.
package foreign
