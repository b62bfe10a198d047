package codec

import (
	"context"
	"fmt"
	"image"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/weights"
)

// Encode returns the file of a picture's center square: about 107 bytes with
// the built-in model and nil options, which reproduce the paper. Transparency
// is laid over white.
//
// The image encoder is as accurate as float32, unless opts.Fast is set. Still, a
// value of the CLIP vector that lies on a threshold may become another bit on
// another machine.
//
// Errors are an [UnsupportedError] for a picture without pixels or of a shape
// that a file cannot hold, an [OptionError], [ErrNoDecoder], a [PromptError] of
// the built-in model, a [MemoryError], the context's, and those of the model's
// files.
func (c *Codec) Encode(ctx context.Context, img image.Image, opts *EncodeOptions) ([]byte, error) {
	e, err := c.Embed(ctx, img, opts)
	if err != nil {
		return nil, err
	}
	return e.Encode(ctx)
}

// Encode returns the picture's file; see [Codec.Encode].
func (e *Embedded) Encode(ctx context.Context) ([]byte, error) {
	c, small, vector, own := e.codec, e.thumbnails, e.vector, e.opts
	o := &own // calls may run at the same time
	o.Progress = e.Progress
	if o.Raw {
		p, err := o.params(len(vector))
		if err != nil {
			return nil, err
		}
		s, err := paperSymbols(small, vector, p)
		if err != nil {
			return nil, err
		}
		return format.Pack(p, s), nil
	}
	data, err := c.quantize(ctx, e.header, e.prior, small, vector, o)
	if err != nil || o.Candidates < 2 {
		return data, err
	}
	return c.choose(ctx, data, small, vector, o)
}

// quantize returns the file of a picture with the first candidate.
func (c *Codec) quantize(ctx context.Context, h format.Header, prior format.Prior, small thumbnails, vector []float32, o *EncodeOptions) ([]byte, error) {
	if o.Bytes != 0 {
		data, err := newTuner(h, prior, small, vector).fit(ctx, o.budget())
		if err == errNoRoom && o.Prompt != "" {
			return nil, optionErrorf("budget %d: no file is so small with a prompt that takes %d bytes", o.Bytes, (h.PromptBits()+7)/8)
		}
		if err == errNoRoom {
			return nil, optionErrorf("budget %d: no file is so small", o.Bytes)
		}
		return data, err
	}
	if o.Profile == Tuned {
		return newTuner(h, prior, small, vector).file()
	}
	s, err := paperSymbols(small, vector, h.Params)
	if err != nil {
		return nil, err
	}
	return format.Marshal(h, s, prior), nil
}

// paperSymbols quantizes as the paper does.
func paperSymbols(small thumbnails, vector []float32, p format.Params) (format.Symbols, error) {
	s := format.Symbols{
		Vector:   make([]uint16, len(vector)),
		ColorMap: quant.QuantizePaperColor(small.planes[p.MapSize], p.MapSize, p.ColorBits),
	}
	return s, quant.QuantizePaperVector(s.Vector, vector, p.DimensionBits)
}

// header returns the header of a file of this model, and the model's prior. It
// reads the image encoder, which is not run before the options are known to suit
// its vector.
func (c *Codec) header(ctx context.Context, shape format.Shape, o *EncodeOptions) (h format.Header, prior format.Prior, err error) {
	tower, err := c.model.ImageEncoder(ctx)
	if err != nil {
		return h, prior, err
	}
	dim := tower.Config().ProjectionDim
	h = format.NewHeader(dim)
	if prior, err = c.prior(); err != nil {
		return h, prior, err
	}
	if len(prior.Moments) != dim {
		return h, prior, fmt.Errorf("%s: %d dimensions; the %s has %d", c.model.Folder().PartPath(weights.ImageNormalizer), len(prior.Moments), weights.ImageEncoder, dim)
	}
	if h.Params, err = o.params(dim); err != nil {
		return h, prior, err
	}
	h = h.WithProfile(o.Profile)
	h.Fingerprint, h.Shape, h.Prompt = prior.Fingerprint, shape, o.Prompt
	if o.Profile == Tuned {
		if h.VectorBits = o.VectorBits; h.VectorBits == 0 {
			h.VectorBits = dim * h.DimensionBits
		}
		h.DimensionBits = 1
		if h.VectorBits > format.MaxTunedBits*dim {
			return h, prior, optionErrorf("bits of the vector %d: at most %d for each of %d dimensions", h.VectorBits, format.MaxTunedBits, dim)
		}
	}
	if o.Sampling == nil {
		return h, prior, nil
	}
	return h, prior, o.Sampling.put(&h)
}

// A frame is the part of a picture that is kept.
type frame struct {
	rgb   []byte // [h,w,3]
	w, h  int
	shape format.Shape
}

func newFrame(img image.Image, whole bool) (f frame, err error) {
	if !whole {
		f.rgb, f.w, err = quant.CenterSquare(img)
		f.h = f.w
		return f, err
	}
	if b := img.Bounds(); !b.Empty() { // before the pixels are read
		if f.shape, err = format.ShapeOf(b.Dx(), b.Dy()); err != nil {
			return f, err
		}
	}
	f.rgb, f.w, f.h, err = quant.Whole(img)
	return f, err
}
