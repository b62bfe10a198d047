package codec

import (
	"errors"
	"fmt"
	"math"

	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/entropy"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/codec/tuned"
	"github.com/coclico/coclico/weights"
)

// A ModelError says that a file was made with another model than the one that
// is to decode it.
type ModelError = container.ModelError

// FileModel returns what a file's symbols depend on of a model: its fingerprint,
// and the moments of the vectors' dimensions.
func (c *Codec) FileModel() (container.Model, error) {
	fingerprint, err := c.model.Fingerprint()
	if err != nil {
		return container.Model{}, err
	}
	mean, std, err := c.model.Normalizer()
	if err != nil {
		return container.Model{}, err
	}
	m := container.Model{Fingerprint: shortFingerprint(fingerprint), Moments: make([]entropy.Moment, len(mean))}
	for i := range mean {
		m.Moments[i] = entropy.Moment{
			Mean: entropy.Float16(weights.Float16(mean[i])),
			Std:  entropy.Float16(weights.Float16(std[i])),
		}
	}
	return m, nil
}

// shortFingerprint returns the bits of a fingerprint that a file has.
func shortFingerprint(f uint32) uint16 { return uint16(f >> (32 - container.FingerprintBits)) }

// header returns the header of a file of this model, of the paper's profile, and the model's part in it.
func (c *Codec) header(dim int, shape container.Shape, painting Painting) (container.Header, container.Model, error) {
	h := container.NewHeader(dim)
	m, err := c.FileModel()
	if err != nil {
		return h, m, err
	}
	if len(m.Moments) != dim {
		return h, m, fmt.Errorf("%s: %d dimensions, the %s has %d", c.model.Folder().PartPath(weights.ImageNormalizer), len(m.Moments), weights.ImageEncoder, dim)
	}
	h.Fingerprint, h.Shape = m.Fingerprint, shape
	return h, m, painting.withDefaults(paper()).put(&h)
}

// put sets a header's fields.
func (p Painting) put(h *container.Header) error {
	var exact [2]bool
	h.Steps, h.Seed = p.Steps, p.Seed
	h.Guidance, exact[0] = whole(p.Guidance * 100)
	h.Strength, exact[1] = whole(p.Strength * 1000)
	if exact != [2]bool{true, true} {
		return optionErrorf("guidance %g, strength %g: a file has room for hundredths and thousandths", p.Guidance, p.Strength)
	}
	if err := h.Validate(); err != nil {
		return OptionError(err.Error())
	}
	return nil
}

// whole returns x rounded, and whether it was a whole number up to errors of
// rounding.
func whole(x float64) (int, bool) {
	r := math.Round(x)
	return int(r), math.Abs(x-r) < 1e-6
}

// painting returns how a file is to be painted.
func painting(h container.Header) Painting {
	p := Painting{Steps: h.Steps, Guidance: float64(h.Guidance) / 100, Strength: float64(h.Strength) / 1000, Seed: h.Seed}
	if p.Guidance == 0 {
		p.Guidance = None
	}
	if p.Strength == 0 {
		p.Strength = None
	}
	return p
}

// Fits reports whether data are a file that Encode may have written with these
// options, as far as its header tells.
func (o EncodeOptions) Fits(data []byte) bool {
	h, _, err := container.ReadColour(data)
	if err != nil {
		return false
	}
	want := o.Painting.withDefaults(paper()).withDefaults(Painting{})
	if h.Profile != o.Profile || (h.Shape != 0) != o.Whole || painting(h).withDefaults(Painting{}) != want {
		return false
	}
	if o.Bytes > 0 {
		full := h.VectorBits == tuned.MaxBits*h.EmbeddingDim // more bytes would not be used
		return len(data) <= o.Bytes && (full || len(data) > o.Bytes*9/10)
	}
	p, err := o.Params(h.EmbeddingDim)
	if h.Profile == Tuned {
		total := o.VectorBits
		if total == 0 {
			total = p.EmbeddingDim * p.EmbeddingBits
		}
		p.EmbeddingBits = h.EmbeddingBits
		return err == nil && h.Params == p && h.VectorBits == total
	}
	return err == nil && h.Params == p
}

// A Sketch is what a file says, in numbers.
type Sketch struct {
	Header container.Header
	Vector []float32 // the CLIP vector
	RGB    []float32 // the colour map [MapSize, MapSize, 3] in [0, 1]
}

// Sketch reads a file without painting it. Errors are those of Decode.
func (c *Codec) Sketch(data []byte) (Sketch, error) {
	d := &decoder{Codec: c}
	return d.read(data)
}

// sketch returns what symbols stand for.
func sketch(h container.Header, s stream.Symbols, m container.Model) Sketch {
	vector := make([]float32, h.EmbeddingDim)
	if h.Profile == Tuned {
		mean, std := vectorMoments(m, tuned.Spread(h.Spread))
		tuned.DequantiseVector(vector, s.Embedding, mean, std, h.DimensionBits(m))
	} else {
		stream.DequantiseEmbedding(vector, s.Embedding, h.EmbeddingBits)
	}
	return Sketch{h, vector, h.RGB(s.Colour)}
}

// Resolve returns the options that Decode uses for these data: the file's
// values in place of zeros, and zeros in place of None.
func (o DecodeOptions) Resolve(data []byte) (DecodeOptions, error) {
	if o.Raw {
		return o.withDefaults(paper()), nil
	}
	h, err := container.ReadHeader(data)
	return o.withDefaults(painting(h)), err
}

// read returns what data say, a file or raw bits.
func (d *decoder) read(data []byte) (Sketch, error) {
	var m container.Model
	var h container.Header
	var s stream.Symbols
	var err error
	if d.o.Raw {
		h, s, err = d.readRaw(data)
	} else if m, err = d.FileModel(); err == nil {
		h, s, err = container.Unmarshal(data, m, d.o.Force)
	}
	if err != nil {
		return Sketch{}, d.named(err)
	}
	return sketch(h, s, m), nil
}

func (d *decoder) readRaw(data []byte) (container.Header, stream.Symbols, error) {
	p, err := d.Params(d.o.Format)
	if err != nil {
		return container.Header{}, stream.Symbols{}, err
	}
	s, err := stream.Unpack(p, data)
	if err != nil {
		err = fmt.Errorf("%w (%d bytes, not %d)", err, len(data), p.Bytes())
	}
	h := container.NewHeader(p.EmbeddingDim)
	h.Params = p
	return h, s, err
}

// named adds the models' names to a ModelError.
func (d *decoder) named(err error) error {
	var wrong *ModelError
	if !errors.As(err, &wrong) {
		return err
	}
	wrong.ModelName = d.model.Folder().Name()
	if wrong.File == builtInFile {
		wrong.FileName = "the built-in model"
	}
	return err
}
