// Package batch does the same work on many files. It finds them, names their
// results, and runs the work so that a bad file, Ctrl-C or a killed process
// costs no more than the file it met.
//
// # Names
//
// As with cp -r, a file is mirrored under its own name in the output folder,
// and a folder with its own name and all that is below it (a folder without a
// name of its own, ".", ".." or "/", as its contents). Names that begin with a
// dot are skipped, and so are links to folders, in which a walk could run in
// circles; [Passed] counts what was skipped. No two results may have one name.
// A result whose name would be longer than file systems allow gets a shorter
// one, see [files.Fit].
//
// # Done and unchanged
//
// The results are the only record of what is done. As with make, a file is done
// if its result exists and is newer. It must be newer than the last change that
// may have made the input a different file, such as moving an older file to its
// place; see [files.Changed] and [files.Moved]. The result must also record that
// it was made in the same way, as far as its format can ([Plan.Same]). A file in
// a result's place that is not a result ([Plan.Ours]) is not overwritten.
//
// # Whole files
//
// Results are written whole or not at all, as package files writes. What a
// killed run leaves, the next one overwrites.
package batch
