package codec

import (
	"fmt"
	"hash/fnv"
	"image"
	"image/color"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/internal/hook"
)

// A File is a parsed file. Everything it has is read without a model, except
// the CLIP vector: see [Codec.Vector].
type File struct {
	f   *format.File
	rgb []float32 // the color map [n,n,3] in [0,1]
}

// Parse reads a file. Errors are a [FormatError] for bytes that are no file and
// an [UnsupportedError] for a file of a later version. Whether a file is whole
// only [Codec.Vector] and the decoder know, with its model. The File keeps
// data.
func Parse(data []byte) (*File, error) {
	hook.Parses.Add(1)
	f, err := format.Parse(data)
	if err != nil {
		return nil, err
	}
	return &File{f, quant.RGB(f.Header, f.Map)}, nil
}

// ParseRaw reads the raw bits that Encode writes with [EncodeOptions.Raw] and
// the same format. The number of CLIP dimensions, a multiple of 8 as in every
// CLIP, follows from the length.
func ParseRaw(data []byte, f Format) (*File, error) {
	p, err := f.params(8)
	if err != nil {
		return nil, err
	}
	p.Dimensions = (8*len(data) - p.ColorMapBits()) / p.DimensionBits &^ 7
	if p.Dimensions < 8 || p.Dimensions > format.MaxDimensions || p.Bytes() != len(data) {
		return nil, FormatError(fmt.Sprintf("%d raw bytes do not fit a map of %d x %d pixels in %d bits and %d bits for each CLIP dimension",
			len(data), p.MapSize, p.MapSize, p.ColorBits, p.DimensionBits))
	}
	raw, err := format.ParseRaw(data, p)
	if err != nil {
		return nil, err
	}
	return &File{raw, quant.RGB(raw.Header, raw.Map)}, nil
}

// Bytes returns the file's bytes. The caller must not change them.
func (f *File) Bytes() []byte { return f.f.Bytes() }

// Len returns the number of the file's bytes.
func (f *File) Len() int { return len(f.f.Bytes()) }

// Raw reports whether the file is raw bits, whose profile is Paper and whose
// sampling is DefaultSampling.
func (f *File) Raw() bool { return f.f.Raw }

// Profile returns how the picture was quantized.
func (f *File) Profile() Profile { return f.f.Profile }

// ModelID returns the model that the file was made with, 0 for raw bits.
func (f *File) ModelID() ModelID { return ModelID(f.f.Fingerprint) }

// Sampling returns how the file is painted by default.
func (f *File) Sampling() Sampling { return samplingOf(f.f.Header) }

// Candidate returns the number of the candidate that the encoder chose; see
// [EncodeOptions.Candidates]. The seed of Sampling is that of the first
// candidate plus this number.
func (f *File) Candidate() int { return int(f.f.Candidate) }

// NoiseOffset returns what is added to [Sampling].Seed for the argument of
// torch.manual_seed; v is the file's vector. In the paper's profile it is 0. In
// the tuned profile it is the 32-bit FNV-1a hash of the codes of the color map
// and the vector, so that each picture has noise of its own: a model sees the
// same shapes in the same noise, which in a folder of paintings shows like a
// stencil.
func (f *File) NoiseOffset(v *Vector) uint64 {
	if f.Profile() == Paper {
		return 0
	}
	h := fnv.New32a()
	for _, codes := range [][]uint8{f.f.Map.Y, f.f.Map.U, f.f.Map.V} {
		h.Write(codes)
	}
	for _, code := range v.Codes {
		h.Write([]byte{byte(code), byte(code >> 8)})
	}
	return uint64(h.Sum32())
}

// Prompt returns the words that say, beside the vector, what the picture shows,
// "" if the file has none.
func (f *File) Prompt() string { return f.f.Prompt }

// Format returns the sizes of the file's symbols. DimensionBits is 0 in the
// tuned profile, whose dimensions have different numbers of bits.
func (f *File) Format() Format {
	h := f.f.Header
	if h.Profile == Tuned {
		h.DimensionBits = 0
	}
	return Format{h.DimensionBits, h.MapSize, h.ColorBits}
}

// Dimensions returns the number of dimensions of the CLIP vector.
func (f *File) Dimensions() int { return f.f.Dimensions }

// VectorBits returns the bits of the whole CLIP vector before entropy coding.
func (f *File) VectorBits() int {
	if h := f.f.Header; h.Profile == Paper {
		return h.Dimensions * h.DimensionBits
	}
	return f.f.VectorBits
}

// Bits returns the bits of all symbols before entropy coding.
func (f *File) Bits() int { return f.VectorBits() + f.f.ColorMapBits() }

// Whole reports whether the file holds all of the picture rather than its
// center square.
func (f *File) Whole() bool { return f.f.Shape != 0 }

// Size returns the width and height at which the file is painted if the longer
// side has so many pixels. Both are multiples of unit, as size must be.
func (f *File) Size(size, unit int) (width, height int) { return f.f.Shape.Size(size, unit) }

// ColorMap returns the color map, n x n pixels whatever the picture's shape.
func (f *File) ColorMap() image.Image {
	n := f.f.MapSize
	img := image.NewRGBA(image.Rect(0, 0, n, n))
	for i := range n * n {
		px := f.rgb[3*i:]
		img.SetRGBA(i%n, i/n, color.RGBA{eight(px[0]), eight(px[1]), eight(px[2]), 255})
	}
	return img
}

func eight(v float32) uint8 { return uint8(v*255 + 0.5) }

// ColorCodes returns the codes of the color map in raster order: n x n of Y,
// n/2 x n/2 of U and of V. The caller must not change them.
func (f *File) ColorCodes() (y, u, v []uint8) { return f.f.Map.Y, f.f.Map.U, f.f.Map.V }

// ColorScore returns the mean square difference of two files' color maps,
// enlarged to 32 x 32 pixels, RGB in [0, 1]: the paper's measure.
func ColorScore(a, b *File) float64 {
	const side = quant.ScoreSide
	return quant.Score(quant.Upsample(a.rgb, a.f.MapSize, side, side), quant.Upsample(b.rgb, b.f.MapSize, side, side))
}

// Sizes is where the bytes of a file are. They add up to its length; the parts
// are not cut at bytes. What the tuned profile's quantizers need to know of a
// picture counts with what they quantize.
type Sizes struct {
	Header float64 `json:"header"`
	Prompt float64 `json:"prompt,omitempty"`
	Color  float64 `json:"color"`
	Vector float64 `json:"clip"`   // and what is lost at the end
	Stored bool    `json:"stored"` // as plain bits, since entropy coding saves nothing
}

// Sizes returns where the bytes of the file are.
func (f *File) Sizes() Sizes {
	s := Sizes{Stored: f.f.Stored()}
	if !f.f.Raw {
		s.Prompt = float64(f.f.PromptBits()) / 8
		s.Header = float64(f.f.HeaderBits())/8 - s.Prompt
	}
	s.Color = colorMapBytes(f.f.Header, f.f.Map, s.Stored)
	s.Vector = float64(f.Len()) - s.Header - s.Prompt - s.Color
	return s
}

// colorMapBytes returns the bytes that a map takes in a file, its range
// included.
func colorMapBytes(h format.Header, c format.ColorMap, stored bool) float64 {
	bits := float64(h.ColorMapBits())
	if !stored {
		bits = quant.CodedBits(c, h.Profile, h.MapSize, h.ColorBits)
	}
	if h.Profile == Tuned {
		bits += 3 * format.RangeBits
	}
	return bits / 8
}

// A Vector is the CLIP vector of a file.
type Vector struct {
	Values []float32
	Codes  []uint16 // in the tuned profile they mean something only all together
}

// RawVector returns the CLIP vector of raw bits, which needs no model, and nil
// for any other file.
func (f *File) RawVector() *Vector {
	if !f.Raw() {
		return nil
	}
	codes := f.f.RawVector()
	return &Vector{quant.Vector(f.f.Header, codes, format.Prior{}), codes}
}

// Vector returns the CLIP vector of a file. It returns a [*ModelError] if the
// file was made with another model, and a [FormatError] if it can be told that
// it was truncated or altered: a file has no checksum, see FORMAT.md.
func (c *Codec) Vector(f *File) (*Vector, error) { return c.vector(f, false) }

func (c *Codec) vector(f *File, anyModel bool) (*Vector, error) {
	p, err := c.prior()
	if err != nil {
		return nil, err
	}
	h := f.f.Header
	switch known := h.Dimensions == len(p.Moments); {
	case f.f.Raw && !known:
		return nil, FormatError(fmt.Sprintf("%d CLIP dimensions; the model has %d", h.Dimensions, len(p.Moments)))
	case !f.f.Raw && !known && anyModel:
		return nil, UnsupportedError(fmt.Sprintf("a file with %d CLIP dimensions, for a model that has %d", h.Dimensions, len(p.Moments)))
	case !f.f.Raw && (!known || h.Fingerprint != p.Fingerprint && !anyModel):
		id := ModelID(h.Fingerprint)
		return nil, &ModelError{File: id, Model: ModelID(p.Fingerprint), FileName: names[id], ModelName: c.model.Folder().Name()}
	}
	codes, err := f.f.Vector(p)
	if err != nil {
		return nil, err
	}
	return &Vector{quant.Vector(h, codes, p), codes}, nil
}

// names holds what is known by name. The built-in model's ID is a constant
// because asking the model would link it into every program that decodes.
var names = map[ModelID]string{builtInID: "the built-in model"}
