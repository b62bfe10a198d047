// Package stream is the raw format of CoCliCo and its symbols: the quantisers that make the symbols from numbers, and the
// bits that hold them. It knows no model, so that a stream can be read, checked and fuzzed without one.
//
// # The raw format
//
// A stream has no header. Both sides know four parameters ([Params]); the paper's are in parentheses:
//
//	d  dimensions of the CLIP image vector         1 to 65536      (768)
//	a  bits of each of them                        1 to 16         (1)
//	n  side of the colour map                      2, 4, ... 64    (8)
//	b  bits of each of its samples                 1 to 8          (2)
//
// The stream is a string of bits. Bit i of it is bit 7 - i%8 of byte i/8 (most significant first), and every code below is
// written most significant bit first:
//
//	d       codes of a bits   the CLIP vector in dimension order
//	n*n     codes of b bits   Y, row by row from the top, each from the left
//	n/2*n/2 codes of b bits   U, the same
//	n/2*n/2 codes of b bits   V, the same
//	0 to 7  zero bits         up to a whole byte
//
// That is d*a + 3/2*n*n*b bits, 960 with the paper's parameters: 120 bytes. A stream of any other length, or with a padding
// bit set, is refused. Nothing else can be wrong with a stream: every string of bits of the right length is a picture, and
// packing its symbols gives the same bytes again.
//
// An example, with d = 3, a = 2, n = 2, b = 3: the vector's codes 1 2 3, Y = 0 1 / 6 7, U = 5, V = 2 are
//
//	01 10 11  000 001 110 111  101  010   =   6c 1d ea
//
// # What a code of the vector means
//
// Equation 3 of the paper on [-1, 1] with 2^a levels, that is with the step q = 2^(1-a): the code of x is
// floor(x/q) + 2^(a-1), limited to 0 .. 2^a - 1, and stands for (code - 2^(a-1) + 1/2) q. With one bit that is the sign:
// code 1 for x >= 0 stands for +0.5, code 0 for -0.5.
//
// # What a code of the colour map means
//
// The map is the picture at n x n pixels, in full-range BT.601 YUV of RGB in [0, 1],
//
//	Y = 0.299 R + 0.587 G + 0.114 B     U = (B - Y)/1.772 + 1/2     V = (R - Y)/1.402 + 1/2
//
// with U and V averaged over 2 x 2 pixels. The code of a sample c is floor(c 2^b), limited to 0 .. 2^b - 1, and stands for
// (code + 1/2) / 2^b. Back in RGB, a sample of U and V is that of its four pixels, and R, G and B are limited to [0, 1].
//
// # Errors
//
// A [FormatError] says that the bytes are no stream of these parameters; an [UnsupportedError] that parameters, a picture or
// a vector are outside of what the format holds. Both are constant phrases, all of them in errors.go. Everything is checked
// before anything is allocated.
package stream
