package main

import (
	"fmt"
	"io"

	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/stream"
)

// A coded is what a file says.
type coded struct {
	Bytes  int // of the file
	Params stream.Params
	stream.Symbols
}

// readCoded reads a stream's file, or the stream in a PNG.
func (a *app) readCoded(path string, f codec.Format) (coded, error) {
	r, err := a.openInput(path)
	if err != nil {
		return coded{}, err
	}
	defer r.Close()
	data, err := picture.Stream(r)
	if err == nil && data == nil {
		data, err = io.ReadAll(io.LimitReader(r, maxStream+1))
	}
	var c coded
	if err == nil {
		c, err = parseStream(data, f)
	}
	if err != nil {
		return coded{}, fileError(path, err)
	}
	return c, nil
}

// parseStream returns what a stream of these parameters says.
func parseStream(data []byte, f codec.Format) (coded, error) {
	p, err := guessDimensions(f, len(data))
	if err != nil {
		return coded{}, err
	}
	s, err := stream.Unpack(p, data)
	return coded{len(data), p, s}, err
}

// guessDimensions returns the parameters of a stream of n bytes. The number of CLIP dimensions follows
// from the length, but for the padding: it is taken to be a multiple of 8, as in every CLIP there is.
func guessDimensions(f codec.Format, n int) (stream.Params, error) {
	p, err := f.Params(8)
	if err != nil {
		return p, err
	}
	colour := p.Bits() - 8*p.EmbeddingBits
	p.EmbeddingDim = (8*n - colour) / p.EmbeddingBits &^ 7
	if p.EmbeddingDim < 8 || p.EmbeddingDim > stream.MaxEmbeddingDim || p.Bytes() != n {
		return p, fmt.Errorf("%d bytes are no stream of these parameters: give those that it was encoded with (--map-size, --colour-bits, --clip-bits)", n)
	}
	return p, nil
}
