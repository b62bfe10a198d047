package codec

import (
	"errors"
	"fmt"
	"math"

	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/entropy"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/stream"
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

// file returns the file of a picture's symbols.
func (c *Codec) file(p stream.Params, s stream.Symbols, shape container.Shape, painting Painting) ([]byte, error) {
	m, err := c.FileModel()
	if err != nil {
		return nil, err
	}
	if len(m.Moments) != p.EmbeddingDim {
		return nil, fmt.Errorf("%s: %d dimensions, the image_encoder has %d", c.model.Folder().Path("image_normalizer"), len(m.Moments), p.EmbeddingDim)
	}
	h := container.NewHeader(p.EmbeddingDim)
	h.Fingerprint, h.Params, h.Shape = m.Fingerprint, p, shape
	if err := painting.put(&h); err != nil {
		return nil, err
	}
	return container.Marshal(h, s, m), nil
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

// Fits reports whether data are a file with the parameters of these options.
func (o EncodeOptions) Fits(data []byte) bool {
	h, c, err := container.ReadColour(data)
	if err != nil || len(c.Y) == 0 {
		return false
	}
	p, err := o.Params(h.EmbeddingDim)
	same := painting(h).withDefaults(Painting{}) == o.Painting.withDefaults(paper()).withDefaults(Painting{})
	return err == nil && h.Params == p && (h.Shape != 0) == o.Whole && same
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
func (d *decoder) read(data []byte) (container.Header, stream.Symbols, error) {
	if !d.o.Raw {
		m, err := d.FileModel()
		if err != nil {
			return container.Header{}, stream.Symbols{}, err
		}
		h, s, err := container.Unmarshal(data, m, d.o.Force)
		return h, s, d.named(err)
	}
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
	file := "another model"
	if builtIn, e := BuiltIn(); e == nil {
		defer builtIn.Close()
		if f, e := model.Fingerprint(builtIn); e == nil && shortFingerprint(f) == wrong.File {
			file = "the built-in model"
		}
	}
	return fmt.Errorf("made with %s (%03x), not with %s (%03x): %w", file, wrong.File, d.model.Folder().Name(), wrong.Model, err)
}
