package mini

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"io"
)

// Weights are float16. The high byte of such a number, which has its sign, its
// exponent and two bits of its fraction, takes 5.7 bits in a Huffman code; the
// low byte is as good as random. So a file of weights is blocks of 65,536
// numbers, the last one shorter: the high bytes as a deflate stream that has
// Huffman codes alone, then the low bytes as they are. 21.5 MB become 18.2; with
// deflate's search for repetitions it would be 18.1, and 19.7 by zstd -19
// without the split.

// float16 is the number of this method in mini.zip; PKWARE has given it to
// nobody.
const float16 = 0xf16

const block = 1 << 16

// A joiner reads blocks as numbers. The test that writes mini.zip has a splitter.
type joiner struct {
	packed    *bufio.Reader
	inflate   io.ReadCloser // reads packed, and nothing past the end of a stream, since packed is an io.ByteReader
	high      bytes.Buffer
	low       [block]byte
	both      [2 * block]byte
	remaining []byte // of both
}

func newJoiner(r io.Reader) io.ReadCloser {
	packed := bufio.NewReader(r)
	return &joiner{packed: packed, inflate: flate.NewReader(packed)}
}

func (j *joiner) Read(p []byte) (int, error) {
	if len(j.remaining) == 0 {
		if err := j.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, j.remaining)
	j.remaining = j.remaining[n:]
	return n, nil
}

// next reads a block. It returns io.EOF if there is none left.
func (j *joiner) next() error {
	if _, err := j.packed.Peek(1); err != nil {
		return err
	}
	if err := j.inflate.(flate.Resetter).Reset(j.packed, nil); err != nil {
		return err
	}
	j.high.Reset()
	if _, err := j.high.ReadFrom(io.LimitReader(j.inflate, block+1)); err != nil {
		return err
	}
	n := j.high.Len()
	if n > block {
		return errors.New("mini: a block is too long")
	}
	if _, err := io.ReadFull(j.packed, j.low[:n]); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	for i, h := range j.high.Bytes() {
		j.both[2*i], j.both[2*i+1] = j.low[i], h
	}
	j.remaining = j.both[:2*n]
	return nil
}

func (j *joiner) Close() error { return nil }
