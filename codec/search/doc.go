// Package search finds pictures in an archive by what they show: those nearest
// to a vector, and those nearest to each other.
//
//	a, err := archive.Open("A")
//	...
//	s, err := search.Open(ctx, a, prior, search.Options{Dir: "A/" + search.Folder})
//	...
//	defer s.Close()
//	hits, err := s.Search(ctx, search.Query{Vector: deviations, K: 10})
//
// # Sides
//
// Of each picture one bit is kept for each dimension of its CLIP vector: on
// which side of a threshold it lies, 96 bytes for 768 dimensions; see
// [quant.Sides]. In the files of the paper's profile, with one bit, the threshold
// is 0 and the bit is the file's own. In the tuned profile it is the model's
// mean.
//
// # Score
//
// Let x be a picture's vector, as deviations from the model's means, and q the
// query's. What their cosine is, about the means, is the score. Of x only the
// sides are known, so that it is replaced by y, in which each dimension is the
// mean of a normal variable on its side (Low or High). That is the best estimate
// of x in mean square, and so is q·y of q·x. Two factors are missing for the
// cosine. |y| stands for |x|, since what a vector of few rare sides has in length
// its picture has too. And y is shorter in the direction of x than x is:
// E[x·y] = E|y|², so that the cosine of x and y is about sqrt(E|y|²/E|x|²), 0.8
// if the thresholds are the means, and a picture is to have the score 1 with
// itself:
//
//	score = q·y / (|q| |y|) · sqrt(E|x|² / E|y|²)
//
// It is an estimate, and may come out a little above 1. A query by a file has lost
// as much as what it is compared with, so that its score is divided by the same
// square root once more. What two files tell of one picture errs alike, and then
// that is too much: at most 1 is left. Thresholds that are the
// means give y = ±s with s = E|x|, dimension by dimension: then the score is the
// sum of q s b over the bits b = ±1, times a constant of the query. Where the
// thresholds are not the means, y is not ±s about 0: a bit that nearly all
// pictures have says little, and Low and High say how little.
//
// # Three stages
//
// First all codes are compared with the query's by Hamming distance, as fast as
// memory is read. The nearest, 1,000 for each hit that is wanted, are then given
// their scores, byte by byte from tables. Of codes that are equally far, each
// stage takes those that come first in the archive, which changes when it is
// compacted; of hits of equal score the first by name comes first. Results depend
// neither on the number of processors nor on the kernels.
//
// The third stage reads the files of the best, 4 for each hit and at least 200,
// and scores them again with all of their bits. Let x̂ be what the codes tell of
// x, dimension by dimension: the mean of the values that have the code, as y is
// the mean of those on the side; see [quant.Expectation]. What was said of y holds
// of x̂. Given the codes, x is x̂ in the mean, so that E[x·x̂] = E|x̂|²; the cosine
// of x and x̂ is about sqrt(E|x̂|²/E|x|²), and
//
//	score = q·x̂ / (|q| |x̂|) · sqrt(E|x|² / E|x̂|²)
//
// The error of a score is that of x̂ in the direction of q. Of a dimension's mean
// square a share D is lost: 0.36 with its side and one bit of the paper's profile,
// which say the same, so that their files are not read again; 0.28 with one bit of
// the tuned profile, whose side alone has lost 0.45, for the string of bits is
// chosen as a whole and gets a quarter of the sides wrong. Both factors are
// constants of a kind of file, so that scores of different kinds compare.
//
// On 2,000 scenes of the built-in model, the third stage finds what a scan over
// all decoded vectors does, 0.84 of the ten nearest in either profile, with 50
// pictures for ten hits; four times as many are read since a larger archive is
// denser. The rest is lost in the bits: the cosines of the tenth and the eleventh
// neighbor differ by 0.003 in the mean, the errors of scores by 0.008. An
// estimator that is given the covariance of the dimensions as well, 64 factors of
// 2,800 other scenes, was tried and finds 0.89 in the paper's profile and 0.85 in
// the tuned one; no model's files have that covariance.
//
// # Index
//
// The codes of a shard are in a file of their own. Its name is the first 16 bytes
// of the shard's SHA-256 in hex, "-", the 8 bytes of the model's moments in hex, and
// ".index". It is made when it is missing, in a folder beside the shards or elsewhere, and
// deleted when its shard is gone, or, in a folder that archives share, when
// nobody has opened it for 90 days. Files of another model and of other
// dimensions, files that cannot be parsed, and rows without a picture have no
// code. All numbers are little-endian.
//
//	bytes  what
//	8      "CoCliCoI"
//	4      2, the version
//	4      dimensions of a vector
//	8      rows of the shard
//	8      codes
//	4      runs
//	4      rows whose file is of another model
//	4      rows whose file cannot be read
//	8      the first bytes of the SHA-256 of the model's moments, see below
//	32     the shard's SHA-256
//	40     zeros
//	4      CRC-32 of the codes and runs, and then of the bytes before it
//	       codes: dimensions/64 words each, rounded up
//	       runs, of 16 bytes: first row, number of rows (4 each), profile,
//	       bits of a dimension (1 each), 0 (2), bits of a vector (4)
//
// The rows of a run follow one another and have one kind of file: its profile (0
// the paper's, 1 the tuned one) and its bits, which are those of a dimension in the
// paper's profile and those of a vector in the tuned one, and 0 for the other. Bit
// i of a code is bit i%64 of its word i/64: 1 if dimension i is above its threshold.
// What is hashed of the model's moments is the fingerprint that tuned files have (2
// bytes), and then mean and deviation of one dimension after the other, as integers
// of 8 bytes that count 2^-24.
//
// Opening an index reads all of it, a gigabyte for ten million pictures, and
// takes it only if its checksum is right; otherwise the index is made again. It may
// be deleted at any time, with the same effect. An index that is cut while it is open,
// or whose disk fails, ends a search with [ErrUnreadable]. A hostile index has a
// right checksum: it gives wrong hits or an error, never more.
package search
