package container

import (
	"bytes"

	"github.com/coclico/coclico/codec/entropy"
	"github.com/coclico/coclico/codec/rangecoder"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/codec/tuned"
)

// A Model is what a file's symbols depend on besides the file.
type Model struct {
	Fingerprint uint16           // its first 10 bits
	Moments     []entropy.Moment // of each dimension of its vectors
}

// Marshal returns the file of a picture. It panics if h is not valid, or s or m not of its parameters.
func Marshal(h Header, s stream.Symbols, m Model) []byte {
	if h.Validate() != nil || len(m.Moments) != h.EmbeddingDim || len(s.Embedding) != h.EmbeddingDim {
		panic("container: header, symbols and model do not fit")
	}
	return h.marshal(s, h.vector(m))
}

func (h Header) marshal(s stream.Symbols, v entropy.Vector) []byte {
	h = h.normal()
	word := h.word()
	head := []byte{byte(word >> 8), byte(word)}
	coded, stored := h.code(s, v), h.store(s, v)
	if len(coded) < len(stored) {
		return append(head, coded...)
	}
	return append(head, stored...)
}

// normal returns h with the default in the fields that its profile does not use.
func (h Header) normal() Header {
	if h.Profile == Tuned {
		h.EmbeddingBits = 1
	} else {
		h.VectorBits, h.Spread, h.Range = h.EmbeddingDim, 0, tuned.Range{}
	}
	return h
}

// vector returns how the CLIP vector is quantised.
func (h Header) vector(m Model) entropy.Vector {
	if h.Profile == Tuned {
		return entropy.TunedVector(m.Moments, h.VectorBits)
	}
	return entropy.UniformVector(m.Moments, h.EmbeddingBits)
}

// RGB returns the colour map that a file's codes stand for, [MapSize, MapSize, 3] in [0, 1].
func (h Header) RGB(c stream.Colour) []float32 {
	if h.Profile == Tuned {
		return tuned.DequantiseColour(c, h.Range, h.MapSize, h.ColourBits)
	}
	return stream.DequantiseColour(c, h.MapSize, h.ColourBits)
}

// DimensionBits returns the bits of each dimension of the vector.
func (h Header) DimensionBits(m Model) []uint8 { return h.vector(m).AllBits() }

// code returns the rest of the header and the payload by the range coder.
func (h Header) code(s stream.Symbols, v entropy.Vector) []byte {
	var e rangecoder.Encoder
	h.rest(h.extended(), func(v uint64, n int) uint64 {
		for i := n - 1; i >= 0; i-- {
			e.Bits(uint32(v>>i&1), 1)
		}
		return v
	})
	entropy.WriteColour(&e, s.Colour, h.MapSize, h.ColourBits, int(h.Profile))
	v.Write(&e, s.Embedding)
	return e.Finish()
}

// store returns them in plain bits: the rest of the header, then the raw stream's.
func (h Header) store(s stream.Symbols, v entropy.Vector) []byte {
	var p plain
	h.rest(h.extended(), p.write)
	h.raw(s, v, p.write)
	return p.data
}

// raw reads or writes the symbols in the raw stream's order.
func (h Header) raw(s stream.Symbols, v entropy.Vector, bits number) {
	for i := range s.Embedding {
		s.Embedding[i] = uint16(bits(uint64(s.Embedding[i]), v.Bits(i)))
	}
	for _, plane := range [][]uint8{s.Y, s.U, s.V} {
		for i := range plane {
			plane[i] = uint8(bits(uint64(plane[i]), h.ColourBits))
		}
	}
}

// symbols returns room for h's symbols.
func (h Header) symbols() stream.Symbols {
	n := h.MapSize * h.MapSize
	return stream.Symbols{
		Embedding: make([]uint16, h.EmbeddingDim),
		Colour:    stream.Colour{Y: make([]uint8, n), U: make([]uint8, n/4), V: make([]uint8, n/4)},
	}
}

// Unmarshal reads a file. It returns a [*ModelError] if the file is of another model than m; with force it reads it all the
// same if m's vectors have as many dimensions, and what it reads of the vector means little.
func Unmarshal(data []byte, m Model, force bool) (Header, stream.Symbols, error) {
	h, extension, err := readHeader(data)
	if err != nil {
		return h, stream.Symbols{}, err
	}
	if h.EmbeddingDim != len(m.Moments) || h.Fingerprint != m.Fingerprint && !force {
		return h, stream.Symbols{}, &ModelError{File: h.Fingerprint, Model: m.Fingerprint}
	}
	payload := data[headerBytes:]
	v := h.vector(m)
	s := h.symbols()
	switch n := (extension + h.rawBits() + 7) / 8; {
	case len(payload) > n:
		return h, s, errTrailing
	case len(payload) == n:
		h.raw(s, v, (&plain{payload, extension}).read)
	default:
		d := decoder(payload, extension)
		s.Colour = entropy.ReadColour(d, h.MapSize, h.ColourBits, int(h.Profile))
		v.Read(d, s.Embedding)
	}
	if h.Fingerprint == m.Fingerprint && !bytes.Equal(data, h.marshal(s, v)) {
		return h, s, errAltered
	}
	return h, s, nil
}

// rawBits returns the bits of h's symbols in a stored payload.
func (h Header) rawBits() int {
	if h.Profile == Tuned {
		return h.VectorBits + 6*(h.MapSize/2)*(h.MapSize/2)*h.ColourBits
	}
	return h.Bits()
}

// decoder returns the range decoder of a payload after the bits of the header.
func decoder(payload []byte, extension int) *rangecoder.Decoder {
	d := rangecoder.NewDecoder(payload)
	for range extension {
		d.Bits(1)
	}
	return d
}

// ReadColour reads the header and the colour map of a file, which need no model. Only Unmarshal sees whether the file is
// whole.
func ReadColour(data []byte) (Header, stream.Colour, error) {
	h, extension, err := readHeader(data)
	if err != nil {
		return h, stream.Colour{}, err
	}
	payload := data[headerBytes:]
	switch n := (extension + h.rawBits() + 7) / 8; {
	case len(payload) > n:
		return h, stream.Colour{}, errTrailing
	case len(payload) < n:
		return h, entropy.ReadColour(decoder(payload, extension), h.MapSize, h.ColourBits, int(h.Profile)), nil
	}
	s := h.symbols()
	s.Embedding = nil
	p := plain{payload, extension + h.rawBits() - 6*(h.MapSize/2)*(h.MapSize/2)*h.ColourBits}
	h.raw(s, entropy.Vector{}, p.read)
	return h, s.Colour, nil
}

// A Split says where the bytes of a file are. They add up to its length; the parts of the payload are not cut at bytes.
// What the tuned profile's quantisers need to know of a picture counts with what they quantise.
type Split struct {
	Header float64 `json:"header"`
	Colour float64 `json:"colour"`
	Vector float64 `json:"clip"` // and what is lost at the end
	Stored bool    `json:"stored"`
}

// SplitOf returns where the bytes of a file are. It needs no model.
func SplitOf(data []byte) (Split, error) {
	h, extension, err := readHeader(data)
	if err != nil {
		return Split{}, err
	}
	_, c, err := ReadColour(data)
	if err != nil {
		return Split{}, err
	}
	colour := float64(6 * (h.MapSize / 2) * (h.MapSize / 2) * h.ColourBits)
	stored := len(data) == headerBytes+(extension+h.rawBits()+7)/8
	if !stored {
		colour = entropy.ColourBits(c, h.MapSize, h.ColourBits, int(h.Profile))
	}
	if h.Profile == Tuned {
		extension -= tuned.SpreadBits + 3*tuned.RangeBits
		colour += 3 * tuned.RangeBits
	}
	s := Split{Header: headerBytes + float64(extension)/8, Colour: colour / 8, Stored: stored}
	s.Vector = float64(len(data)) - s.Header - s.Colour
	return s, nil
}
