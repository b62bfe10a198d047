// Package batch does the same work on many files: it finds them, names what becomes of them, and runs the work so that a
// bad file, Ctrl-C or a killed process costs no more than the file they met.
//
// # Names
//
// As with cp -r: a file is mirrored under its own name in the output folder, a folder with its own name and all that is
// below it (a folder without a name of its own, ".", "..", "/", as what is in it). Names that begin with a point are passed
// over, and so are links to folders, in which a walk could go in circles. No two results may have one name.
//
// # Done and unchanged
//
// There is no record of what is done but the results. As with make, a file is done if its result is there and is newer than
// it; besides, the result must say that it was made the same way, as far as its format can say ([Plan.Same]). A file that stands
// where a result belongs and is none ([Plan.Ours]) is somebody's, and not written over.
//
// # Whole files
//
// A result is written as .NAME.part beside the place where it belongs, and renamed when it is complete. What a killed run
// leaves under that name, the next run writes over. Two runs at once write to one place one after another, or not at all:
// the file is locked (where there is flock).
package batch
