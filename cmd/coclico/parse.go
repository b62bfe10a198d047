package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/stream"
)

// A coded is what a file says.
type coded struct {
	Bytes          int // of the file
	Params         stream.Params
	stream.Symbols                  // the vector's are nil without the model
	Header         container.Header // what a file says besides
	Split          container.Split
	Raw            bool
	data           []byte
}

// A reading is how files are read that are not decoded.
type reading struct {
	format codec.Format // of raw bits
	raw    bool
	model  lazyModel // of the vectors' codes
}

// readCoded reads a stream's file, or the stream in a PNG.
func (a *app) readCoded(path string, how *reading) (coded, error) {
	r, err := a.openInput(path, maxDecoded)
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
		c, err = how.parse(data)
		c.data = data
	}
	if err != nil {
		return coded{}, fileError(path, err)
	}
	return c, nil
}

// checkModel returns what is wrong with the model that the user has named. One that nobody has named may be missing: see
// parse.
func (r *reading) checkModel() error {
	if r.raw || r.model.flag == "" {
		return nil
	}
	c, err := r.model.open()
	if err == nil {
		_, err = c.FileModel()
	}
	return err
}

// parse returns what a file says. Of a file of another model, or where there is none, it is everything but the codes of
// the vector.
func (r *reading) parse(data []byte) (coded, error) {
	if r.raw {
		return parseRaw(data, r.format)
	}
	h, colour, err := container.ReadColour(data)
	if err != nil {
		return coded{}, err
	}
	c := coded{Bytes: len(data), Params: h.Params, Symbols: stream.Symbols{Colour: colour}, Header: h}
	if c.Split, err = container.SplitOf(data); err != nil {
		return c, err
	}
	model, err := r.model.open()
	if err != nil {
		return c, nil
	}
	m, err := model.FileModel()
	if err != nil {
		return c, nil
	}
	_, s, err := container.Unmarshal(data, m, false)
	var wrong *codec.ModelError
	switch {
	case err == nil:
		c.Symbols = s
	case errors.As(err, &wrong):
		err = nil
	}
	return c, err
}

// vector returns the CLIP vector that a file's codes stand for, of a file whose codes were read.
func (r *reading) vector(c coded) ([]float32, error) {
	if c.Raw {
		x := make([]float32, len(c.Embedding))
		stream.DequantiseEmbedding(x, c.Embedding, c.Header.EmbeddingBits)
		return x, nil
	}
	model, err := r.model.open()
	if err != nil {
		return nil, err
	}
	s, err := model.Sketch(c.data)
	return s.Vector, err
}

// parseRaw returns what raw bits of these parameters say.
func parseRaw(data []byte, f codec.Format) (coded, error) {
	p, err := guessDimensions(f, len(data))
	if err != nil {
		return coded{}, err
	}
	s, err := stream.Unpack(p, data)
	colour := float64(p.Bits()-p.EmbeddingDim*p.EmbeddingBits) / 8
	split := container.Split{Colour: colour, Vector: float64(len(data)) - colour, Stored: true}
	h := container.NewHeader(p.EmbeddingDim)
	h.Params = p
	return coded{Bytes: len(data), Params: p, Symbols: s, Header: h, Split: split, Raw: true}, err
}

// vectorBits counts the bits of the CLIP vector, before any coding.
func (c coded) vectorBits() int {
	if c.Header.Profile == container.Tuned {
		return c.Header.VectorBits
	}
	return c.Header.EmbeddingDim * c.Header.EmbeddingBits
}

// informationBits counts the bits of all symbols, before any coding.
func (c coded) informationBits() int {
	return c.Header.Bits() - c.Header.EmbeddingDim*c.Header.EmbeddingBits + c.vectorBits()
}

// rgb returns the colour map's pixels [n,n,3].
func (c coded) rgb() []float32 {
	return c.Header.RGB(c.Colour)
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
		return p, codec.FormatError(fmt.Sprintf("%d bytes are no stream of these parameters: give those that it was encoded with (--map-size, --colour-bits, --clip-bits)", n))
	}
	return p, nil
}
