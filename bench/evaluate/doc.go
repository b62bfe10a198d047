// Package evaluate measures how well codecs keep pictures in a few bytes:
// CoCliCo, other codecs at their smallest sizes, and peers whose results lie in
// folders. It reproduces section IV of the CoCliCo paper on anybody's pictures.
//
// An [Evaluation] makes every row of its table for every picture: it encodes,
// counts the bytes, decodes, and scores the result by each [Metric]. All rows of
// a picture begin with the same pixels, a square of the evaluation's size.
//
// # Tools
//
// Other codecs are programs on PATH. Each call has a folder
// of its own and a limit of time, after which the program is killed with its
// children. A program that fails, hangs or writes nonsense is an error of that
// row and that picture; the rest is evaluated. Seconds of a tool include
// starting it, and reading and writing picture files.
//
// # Resuming
//
// A line of JSON is appended to records.jsonl, and synced, for every row of
// every picture; what was decoded is kept in the folder pictures. The next run
// with the same output repeats what failed and what a change affects: another
// picture, model, size, option or program, told by its hash. A metric that was
// absent is added without encoding anything again. The libraries that a tool
// loads are not seen: after an update of those alone, begin another output.
//
// # Statistics
//
// A table has means over pictures, and 95 % intervals of the mean by the
// bootstrap with a fixed seed: the same records give the same table.
package evaluate
