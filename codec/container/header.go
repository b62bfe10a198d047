package container

import (
	"math/bits"

	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/codec/tuned"
)

// Version is the version of the format that this program writes, and the only one that it reads.
const Version = 1

// A Profile is a way to make symbols of a picture and a picture of symbols.
type Profile uint8

const (
	Paper Profile = iota // package stream's quantisers
	Tuned                // package tuned's
)

func (p Profile) String() string {
	if p == Tuned {
		return "tuned"
	}
	return "paper"
}

const (
	magic       = 0xc // the first four bits of version 1; those of version v are 0xc + v-1
	headerBytes = 2

	// FingerprintBits is how much of a model's fingerprint a file has: the first bits.
	FingerprintBits = 10
)

// A Header is what a file says besides its symbols. NewHeader returns one with the default of every field.
type Header struct {
	Profile     Profile
	Fingerprint uint16 // of the encoder's model, its first 10 bits
	stream.Params
	VectorBits int         // tuned: bits of the whole CLIP vector, up to 5 for each dimension; the default is 1 for each
	Spread     uint8       // tuned: of the vector, 0 to 3
	Range      tuned.Range // tuned: of the colour map
	Shape      Shape       // of the picture
	Steps      int         // of the decoder, 1 to 1024
	Guidance   int         // its guidance in 1/100, 0 to 65535
	Strength   int         // its strength in 1/1000, 0 to 1000
	Seed       uint64      // of its noise
}

// NewHeader returns the header of a file of a model with vectors of dim dimensions, everything else the default: the
// paper's.
func NewHeader(dim int) Header {
	p := stream.Params{EmbeddingDim: dim}.WithDefaults()
	return Header{Params: p, VectorBits: dim, Steps: 20, Guidance: 1200, Strength: 880}
}

// Validate returns an [UnsupportedError] if a file has no room for what h says.
func (h Header) Validate() error {
	if err := h.Params.Validate(); err != nil {
		return err
	}
	switch {
	case h.Profile > Tuned || h.Fingerprint>>FingerprintBits != 0:
		return errNoRoom
	case h.VectorBits < 1 || h.VectorBits > tuned.MaxBits*h.EmbeddingDim:
		return errVectorBits
	case max(h.Range.Low, h.Range.High, h.Range.Chroma) >= 1<<tuned.RangeBits || h.Spread >= 1<<tuned.SpreadBits:
		return errNoRoom
	case h.Shape > MaxShape:
		return errShape
	case h.Steps < 1 || h.Steps > 1024:
		return errSteps
	case h.Guidance < 0 || h.Guidance > 65535:
		return errGuidance
	case h.Strength < 0 || h.Strength > 1000:
		return errStrength
	}
	return nil
}

// extended reports whether h says anything that the first two bytes do not.
func (h Header) extended() bool {
	plain := NewHeader(768)
	plain.Profile, plain.Fingerprint, plain.Spread, plain.Range = h.Profile, h.Fingerprint, h.Spread, h.Range
	return h != plain
}

// word returns the first two bytes.
func (h Header) word() uint16 {
	w := uint16(magic+Version-1)<<12 | uint16(h.Profile)<<11 | h.Fingerprint
	if h.extended() {
		w |= 1 << 10
	}
	return w
}

// A number reads or writes n bits, the most significant first: written is v, and returned what is there.
type number func(v uint64, n int) uint64

// extension is the extension of the header, in both directions: it reads or writes h through f.
func (h *Header) extension(f number) error {
	plain := NewHeader(768)
	flag := func(set bool) bool {
		v := uint64(0)
		if set {
			v = 1
		}
		return f(v, 1) == 1
	}
	field := func(v *int, unless, least, n int) {
		if flag(*v != unless) {
			*v = int(f(uint64(*v-least), n)) + least
		} else {
			*v = unless
		}
	}
	field(&h.EmbeddingDim, plain.EmbeddingDim, 1, 16)
	half := h.MapSize / 2
	field(&half, plain.MapSize/2, 1, 5)
	h.MapSize = 2 * half
	field(&h.ColourBits, plain.ColourBits, 1, 3)
	if h.Profile == Paper {
		field(&h.EmbeddingBits, plain.EmbeddingBits, 1, 4)
		h.VectorBits = h.EmbeddingDim
	} else {
		if flag(h.VectorBits != h.EmbeddingDim) {
			h.VectorBits = int(f.long(uint64(h.VectorBits), 5))
		} else {
			h.VectorBits = h.EmbeddingDim
		}
		h.EmbeddingBits = plain.EmbeddingBits
	}
	shape := int(h.Shape)
	field(&shape, int(plain.Shape), 1, 6)
	h.Shape = Shape(shape)
	field(&h.Steps, plain.Steps, 1, 10)
	field(&h.Guidance, plain.Guidance, 0, 16)
	field(&h.Strength, plain.Strength, 0, 10)
	if flag(h.Seed != 0) {
		h.Seed = f.long(h.Seed, 6)
	}
	if flag(false) {
		return errExtension
	}
	if h.Validate() != nil {
		return errNumber
	}
	return nil
}

// long is a number above 0: how many bits it has, less 1, in size bits, and those below its first one, which is 1.
func (f number) long(v uint64, size int) uint64 {
	n := int(f(uint64(bits.Len64(v)-1), size))
	first := uint64(1) << n
	return first | f(v&(first-1), n)
}

// readWord reads the first two bytes.
func readWord(data []byte) (h Header, extended bool, err error) {
	if len(data) < headerBytes {
		return h, false, errShort
	}
	w := uint16(data[0])<<8 | uint16(data[1])
	switch v := int(w>>12) - magic + 1; {
	case v < 1:
		return h, false, errMagic
	case v != Version:
		return h, false, versionError(v)
	}
	h = NewHeader(768)
	h.Profile, h.Fingerprint = Profile(w>>11&1), w&(1<<FingerprintBits-1)
	return h, w>>10&1 != 0, nil
}

// ReadHeader reads what a file says besides its symbols. It needs no model.
func ReadHeader(data []byte) (Header, error) {
	h, _, err := readHeader(data)
	return h, err
}

// readHeader also returns the number of bits of the header after the first two bytes.
func readHeader(data []byte) (Header, int, error) {
	h, extended, err := readWord(data)
	if err != nil {
		return h, 0, err
	}
	r := plain{data: data[headerBytes:]}
	err = h.rest(extended, r.read)
	return h, r.at, err
}

// rest is the header after the first two bytes, in both directions.
func (h *Header) rest(extended bool, f number) error {
	if extended {
		if err := h.extension(f); err != nil {
			return err
		}
	}
	if h.Profile == Tuned {
		h.Spread = uint8(f(uint64(h.Spread), tuned.SpreadBits))
		for _, v := range []*uint8{&h.Range.Low, &h.Range.High, &h.Range.Chroma} {
			*v = uint8(f(uint64(*v), tuned.RangeBits))
		}
	}
	return nil
}
