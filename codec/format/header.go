package format

import "bytes"

// Version is the latest version of the format, and the last one that this
// package reads. A file has the first version that can hold it: 2 with a
// candidate, and 1 without.
const Version = 2

// A Profile is a way to turn a picture into symbols and back.
type Profile uint8

const (
	Paper Profile = iota // the paper's quantizers
	Tuned                // the same number of bytes spent better
)

func (p Profile) String() string {
	if p == Tuned {
		return "tuned"
	}
	return "paper"
}

const (
	magic     = 0xc // the first four bits of version 1; version v has 0xc + v-1
	wordBytes = 2   // every file begins with a word of two bytes; see Header.begin

	// FingerprintBits is the number of leading bits of a model's fingerprint
	// that a file holds.
	FingerprintBits = 10

	// SpreadBits and RangeBits are the widths of the tuned profile's fields.
	SpreadBits = 2
	RangeBits  = 3
)

// Limits of the parameters. The largest raw stream is 137,216 bytes.
const (
	MaxDimensions    = 1 << 16
	MaxDimensionBits = 16
	MaxMapSize       = 64
	MaxColorBits     = 8
	MaxCandidates    = 64
)

// Params are the sizes of a file's symbols. The reader of a raw stream must
// know them; a file carries them. A zero field has the paper's value, so
// Params{} describes the paper's 120 bytes.
type Params struct {
	Dimensions    int // of the CLIP image vector, 1 to 65536; the paper's 768
	DimensionBits int // bits of each dimension, 1 to 16; the paper's 1
	MapSize       int // side of the color map, an even number from 2 to 64; the paper's 8
	ColorBits     int // bits of each sample of the map, 1 to 8; the paper's 2
}

// WithDefaults returns p with the paper's value in every zero field.
func (p Params) WithDefaults() Params {
	if p.Dimensions == 0 {
		p.Dimensions = 768
	}
	if p.DimensionBits == 0 {
		p.DimensionBits = 1
	}
	if p.MapSize == 0 {
		p.MapSize = 8
	}
	if p.ColorBits == 0 {
		p.ColorBits = 2
	}
	return p
}

// Validate returns an [UnsupportedError] if a parameter is outside the format's
// limits.
func (p Params) Validate() error {
	p = p.WithDefaults()
	switch {
	case p.Dimensions < 1 || p.Dimensions > MaxDimensions:
		return outside("number of CLIP dimensions", p.Dimensions, "1 to 65536")
	case p.DimensionBits < 1 || p.DimensionBits > MaxDimensionBits:
		return outside("bits of a CLIP dimension", p.DimensionBits, "1 to 16")
	case p.MapSize < 2 || p.MapSize > MaxMapSize || p.MapSize%2 != 0:
		return outside("color map size", p.MapSize, "an even number from 2 to 64")
	case p.ColorBits < 1 || p.ColorBits > MaxColorBits:
		return outside("bits of a color sample", p.ColorBits, "1 to 8")
	}
	return nil
}

// ColorMapBits returns the bits of the color map's codes, 3/2*n*n*b. p must be
// valid.
func (p Params) ColorMapBits() int {
	p = p.WithDefaults()
	return 6 * (p.MapSize / 2) * (p.MapSize / 2) * p.ColorBits
}

// Bits returns the bits of a raw stream's symbols: d*a of the vector and those
// of the color map. p must be valid.
func (p Params) Bits() int {
	p = p.WithDefaults()
	return p.Dimensions*p.DimensionBits + p.ColorMapBits()
}

// Bytes returns the length of a raw stream. p must be valid.
func (p Params) Bytes() int { return (p.Bits() + 7) / 8 }

// A Range is where the levels of a tuned color map lie; see package quant. Each
// field is 0 to 7.
type Range struct{ Low, High, Chroma uint8 }

// A Header is what a file holds besides its symbols. [NewHeader] returns one
// with the default in every field.
type Header struct {
	Profile     Profile
	Fingerprint uint16 // first 10 bits of the encoding model's fingerprint
	Params
	VectorBits int    // tuned: bits of the whole CLIP vector, up to 5 for each dimension; by default 1 for each
	Spread     uint8  // tuned: of the vector, 0 to 3
	Range      Range  // tuned: of the color map
	Shape      Shape  // of the picture
	Steps      int    // of the sampler, 1 to 1024
	Guidance   int    // in 1/100, 0 to 65535
	Strength   int    // in 1/1000, 0 to 1000
	Color      int    // tuned: color guidance in 1/100, 0 to 100; by default 80
	Seed       uint64 // of the first candidate's initial noise
	Candidate  uint8  // 0 to 63, added to Seed
	Prompt     string // what the picture shows, in words; "" for none
}

// NewHeader returns the header of a file whose vectors have dim dimensions and
// whose other fields have the paper's values.
func NewHeader(dim int) Header {
	p := Params{Dimensions: dim}.WithDefaults()
	return Header{Params: p, VectorBits: dim, Steps: 20, Guidance: 1200, Strength: 880}
}

// Validate returns an [UnsupportedError] if a file cannot hold h.
func (h Header) Validate() error {
	if err := h.Params.Validate(); err != nil {
		return err
	}
	switch {
	case h.Profile > Tuned || h.Fingerprint>>FingerprintBits != 0:
		return errHeader
	case h.VectorBits < 1 || h.VectorBits > MaxTunedBits*h.Dimensions:
		return outside("bits of the vector", h.VectorBits, "1 to 5 for each dimension")
	case max(h.Range.Low, h.Range.High, h.Range.Chroma) >= 1<<RangeBits || h.Spread >= 1<<SpreadBits:
		return errHeader
	case h.Shape > maxShape:
		return errShape
	case h.Steps < 1 || h.Steps > 1024:
		return outside("steps", h.Steps, "1 to 1024")
	case h.Guidance < 0 || h.Guidance > 65535:
		return outside("guidance in 1/100", h.Guidance, "0 to 65535")
	case h.Strength < 0 || h.Strength > 1000:
		return outside("strength in 1/1000", h.Strength, "0 to 1000")
	case h.Color < 0 || h.Color > 100 || h.Profile == Paper && h.Color != 0:
		return outside("color guidance in 1/100", h.Color, "0 to 100, and 0 in the paper's profile")
	case h.Candidate >= MaxCandidates:
		return outside("candidate", int(h.Candidate), "0 to 63")
	case !validPrompt(h.Prompt):
		return errPromptText
	}
	return nil
}

// WithProfile returns h in another profile, with its default color guidance.
func (h Header) WithProfile(p Profile) Header {
	h.Profile, h.Color = p, 0
	if p == Tuned {
		h.Color = 80
	}
	return h
}

// symbolBits returns the bits of h's symbols before entropy coding.
func (h Header) symbolBits() int {
	if h.Profile == Tuned {
		return h.VectorBits + h.ColorMapBits()
	}
	return h.Bits()
}

// HeaderBits returns the bits of h in a file, without the tuned profile's
// spread and range.
func (h Header) HeaderBits() int {
	h = h.normal()
	var w bitString
	if h.extended() {
		h.extension(w.write)
	}
	return 8*h.beginBytes() + w.at
}

// beginBytes returns the length of [Header.begin].
func (h Header) beginBytes() int {
	if h.Candidate != 0 {
		return wordBytes + 1
	}
	return wordBytes
}

// readHeader reads the header of a file. It also returns the number of bits of
// the header after its beginning.
func readHeader(data []byte) (h Header, bits int, err error) {
	if len(data) < wordBytes {
		return h, 0, errShort
	}
	w := uint16(data[0])<<8 | uint16(data[1])
	h = NewHeader(768).WithProfile(Profile(w >> 11 & 1))
	h.Fingerprint = w & (1<<FingerprintBits - 1)
	switch v := int(w>>12) - magic + 1; {
	case v < 1 || v > Version && foreign(data):
		return h, 0, errMagic
	case v > Version:
		return h, 0, versionError(v)
	case v > 1 && len(data) == wordBytes:
		return h, 0, errShort
	case v > 1:
		h.Candidate = data[wordBytes]
		if h.Candidate == 0 || h.Candidate >= MaxCandidates {
			return h, 0, errNumber
		}
	}
	r := bitString{data: data[h.beginBytes():]}
	err = h.rest(w>>10&1 != 0, r.read)
	return h, r.at, err
}

// foreign reports whether data begins like a kind of file that would otherwise
// pass for a .coclico file of a later version: a JPEG, or text with a byte order
// mark.
func foreign(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}) || bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf})
}

// rest runs through the header after its beginning.
func (h *Header) rest(extended bool, f field) error {
	if extended {
		if err := h.extension(f); err != nil {
			return err
		}
	}
	if h.Profile == Tuned {
		h.Spread = uint8(f(uint64(h.Spread), SpreadBits))
		for _, v := range []*uint8{&h.Range.Low, &h.Range.High, &h.Range.Chroma} {
			*v = uint8(f(uint64(*v), RangeBits))
		}
	}
	return nil
}

// extension runs through the fields whose defaults an ordinary file leaves out:
// a flag for each, and the number if the flag is 1. No writer gives a default as
// a number, nor extends a header that has nothing else.
func (h *Header) extension(f field) error {
	plain := NewHeader(768).WithProfile(h.Profile)
	needless := false
	number := func(v *int, unless, least, n int) {
		if f.flag(*v != unless) {
			*v = int(f(uint64(*v-least), n)) + least
			needless = needless || *v == unless
		} else {
			*v = unless
		}
	}
	number(&h.Dimensions, plain.Dimensions, 1, 16)
	half := h.MapSize / 2
	number(&half, plain.MapSize/2, 1, 5)
	h.MapSize = 2 * half
	number(&h.ColorBits, plain.ColorBits, 1, 3)
	if h.Profile == Paper {
		number(&h.DimensionBits, plain.DimensionBits, 1, 4)
		h.VectorBits = h.Dimensions
	} else {
		if f.flag(h.VectorBits != h.Dimensions) {
			h.VectorBits = int(f.long(uint64(h.VectorBits), 5))
			needless = needless || h.VectorBits == h.Dimensions
		} else {
			h.VectorBits = h.Dimensions
		}
		h.DimensionBits = plain.DimensionBits
	}
	shape := int(h.Shape)
	number(&shape, int(plain.Shape), 1, 6)
	h.Shape = Shape(shape)
	number(&h.Steps, plain.Steps, 1, 10)
	number(&h.Guidance, plain.Guidance, 0, 16)
	number(&h.Strength, plain.Strength, 0, 10)
	if h.Profile == Tuned {
		number(&h.Color, plain.Color, 0, 7)
	}
	if f.flag(h.Seed != 0) {
		h.Seed = f.long(h.Seed, 6)
	}
	if f.flag(h.Prompt != "") {
		if err := h.prompt(f); err != nil {
			return err
		}
		if f.flag(false) {
			return errExtension
		}
	}
	if h.Validate() != nil {
		return errNumber
	}
	if needless || !h.extended() {
		return errAltered
	}
	return nil
}
