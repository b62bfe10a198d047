package format

import (
	"bytes"

	"github.com/coclico/coclico/codec/format/rangecoder"
)

// A File is a parsed file: its header and its color map, which need no model,
// and a position in front of the vector, which does.
type File struct {
	Header
	Map ColorMap
	Raw bool // a raw stream: the fields of Header that it does not hold have their defaults

	data     []byte
	headBits int                // bits of the header after its beginning
	stored   bool               // the symbols are plain bits
	decoder  rangecoder.Decoder // otherwise: in front of the vector
	vector   []uint16           // of a raw stream
}

// Parse reads a file up to its vector. It does not know whether the file is
// whole: [File.Vector] does. It keeps data.
func Parse(data []byte) (*File, error) {
	h, n, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	f := &File{Header: h, Map: newColorMap(h.MapSize), data: data, headBits: n}
	payload := data[h.beginBytes():]
	switch stored := (n + h.symbolBits() + 7) / 8; {
	case len(payload) > stored:
		return nil, errTrailing
	case len(payload) == stored:
		f.stored = true
		r := bitString{payload, n + h.symbolBits() - h.ColorMapBits()}
		f.Map.each(r.read, h.ColorBits)
	default:
		f.decoder = *rangecoder.NewDecoder(payload)
		c := coder(f.decoder.Symbol)
		c.bits(0, n)
		c.colorMap(f.Map, h)
		if f.decoder.Shifts() > len(payload) {
			return nil, errAltered // no writer ends before its symbols
		}
	}
	return f, nil
}

// ParseRaw reads a raw stream of these parameters.
func ParseRaw(data []byte, p Params) (*File, error) {
	s, err := Unpack(p, data)
	if err != nil {
		return nil, err
	}
	h := NewHeader(len(s.Vector))
	h.Params = p.WithDefaults()
	return &File{Header: h, Map: s.ColorMap, Raw: true, data: data, stored: true, vector: s.Vector}, nil
}

// Bytes returns the file's bytes.
func (f *File) Bytes() []byte { return f.data }

// Stored reports whether the symbols are stored as plain bits rather than
// entropy-coded.
func (f *File) Stored() bool { return f.stored }

// RawVector returns the codes of the vector of a raw stream.
func (f *File) RawVector() []uint16 { return f.vector }

// Vector returns the codes of the vector, which depend on the statistics of the
// model that made the file. It returns a [FormatError] if p has another number
// of dimensions, or if the file is not what its own fields and symbols would be
// written as: it was truncated or altered. For the prior of another model it
// cannot check that.
func (f *File) Vector(p Prior) ([]uint16, error) {
	if len(p.Moments) != f.Dimensions {
		return nil, errPrior
	}
	if f.Raw {
		return f.vector, nil
	}
	v := f.vectorCoder(p)
	codes := make([]uint16, f.Dimensions)
	if f.stored {
		v.each((&bitString{f.data[f.beginBytes():], f.headBits}).read, codes)
	} else {
		d := f.decoder
		v.code(d.Symbol, codes)
	}
	if f.Fingerprint == p.Fingerprint && !bytes.Equal(f.data, f.marshal(Symbols{codes, f.Map}, v)) {
		return nil, errAltered
	}
	return codes, nil
}

// Marshal returns the file of a picture: its symbols entropy-coded, or stored
// where that takes no more bytes. It panics if h is not valid, or if s or p do
// not have its parameters.
func Marshal(h Header, s Symbols, p Prior) []byte {
	if h.Validate() != nil || len(p.Moments) != h.Dimensions || len(s.Vector) != h.Dimensions {
		panic("format: header, symbols and prior do not fit")
	}
	return h.marshal(s, h.vectorCoder(p))
}

func (h Header) marshal(s Symbols, v vectorCoder) []byte {
	h = h.normal()
	coded, stored := h.code(s, v), h.store(s, v)
	if len(coded) < len(stored) {
		return append(h.begin(), coded...)
	}
	return append(h.begin(), stored...)
}

// WithCandidate returns the bytes of f with another candidate.
func (f *File) WithCandidate(k uint8) []byte {
	h := f.normal()
	h.Candidate = k
	return append(h.begin(), f.data[f.beginBytes():]...)
}

// normal returns h with the default in the fields that its profile does not
// use.
func (h Header) normal() Header {
	if h.Profile == Tuned {
		h.DimensionBits = 1
	} else {
		h.VectorBits, h.Spread, h.Range, h.Color = h.Dimensions, 0, Range{}, 0
	}
	return h
}

// extended reports whether h holds anything that only the extension has room
// for.
func (h Header) extended() bool {
	plain := NewHeader(768).WithProfile(h.Profile)
	plain.Fingerprint, plain.Spread, plain.Range, plain.Candidate = h.Fingerprint, h.Spread, h.Range, h.Candidate
	return h != plain
}

// begin returns the first two bytes, and the third of a file of version 2,
// which is the candidate. They are plain bits in every file: in the range
// coder's stream the candidate would take its 6 bits on average, but now and
// then two bytes.
func (h Header) begin() []byte {
	w := uint16(magic)<<12 | uint16(h.Profile)<<11 | h.Fingerprint
	if h.extended() {
		w |= 1 << 10
	}
	if h.Candidate == 0 {
		return []byte{byte(w >> 8), byte(w)}
	}
	w += 1 << 12 // version 2
	return []byte{byte(w >> 8), byte(w), h.Candidate}
}

// code returns the rest of the header and the symbols as the range coder writes
// them.
func (h Header) code(s Symbols, v vectorCoder) []byte {
	var e rangecoder.Encoder
	c := coder(e.Symbol)
	h.rest(h.extended(), c.bits)
	c.colorMap(s.ColorMap, h)
	v.code(c, s.Vector)
	return e.Finish()
}

// store returns the rest of the header and the symbols as plain bits, in the
// order of the raw stream.
func (h Header) store(s Symbols, v vectorCoder) []byte {
	var w bitString
	h.rest(h.extended(), w.write)
	v.each(w.write, s.Vector)
	s.ColorMap.each(w.write, h.ColorBits)
	return w.data
}
