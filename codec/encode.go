package codec

import (
	"context"
	"image"

	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/codec/tuned"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/weights"
)

// Encode returns the file of a picture's centre square: about 107 bytes with
// the built-in model and the paper's profile, which nil options stand for.
// Transparency is laid over white.
//
// It runs the image encoder as exactly as float32; still, a value of the CLIP
// vector that lies on a threshold may become another bit on another machine.
// Errors are an [UnsupportedError] for a picture without pixels or with a shape
// that a file has no room for, an [OptionError], the context's, and those of
// the model's files.
func (c *Codec) Encode(ctx context.Context, img image.Image, opts *EncodeOptions) ([]byte, error) {
	var o EncodeOptions
	if opts != nil {
		o = *opts
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := nn.Check(); err != nil {
		return nil, err
	}
	f, err := newFrame(img, o.Whole)
	if err != nil {
		return nil, err
	}
	if o.Progress != nil {
		o.Progress(Progress{Stage: StageEmbed})
	}
	embedding, err := c.embed(ctx, f, o.Trace)
	if err != nil {
		return nil, err
	}
	if o.Profile == Tuned {
		return c.encodeTuned(ctx, f, embedding, &o)
	}
	p, err := o.Params(len(embedding))
	if err != nil {
		return nil, err
	}
	s := stream.Symbols{
		Embedding: make([]uint16, len(embedding)),
		Colour:    stream.QuantiseColour(f.rgb, f.w, f.h, p.MapSize, p.ColourBits, o.Antialias),
	}
	if err := stream.QuantiseEmbedding(s.Embedding, embedding, p.EmbeddingBits); err != nil {
		return nil, err
	}
	if o.Raw {
		return stream.Pack(p, s), nil
	}
	h, m, err := c.header(len(embedding), f.shape, o.Painting)
	if err != nil {
		return nil, err
	}
	h.Params = p
	return container.Marshal(h, s, m), nil
}

// encodeTuned returns the file of a picture in the tuned profile.
func (c *Codec) encodeTuned(ctx context.Context, f frame, embedding []float32, o *EncodeOptions) ([]byte, error) {
	h, m, err := c.header(len(embedding), f.shape, o.Painting)
	if err != nil {
		return nil, err
	}
	t := newTuner(h, m, f, embedding)
	if o.Bytes == 0 {
		p, err := o.Params(len(embedding))
		if err != nil {
			return nil, err
		}
		total := o.VectorBits
		if total == 0 {
			total = p.EmbeddingDim * p.EmbeddingBits
		}
		if total > tuned.MaxBits*p.EmbeddingDim {
			return nil, optionErrorf("%d bits of a vector of %d dimensions: at most %d for each", total, p.EmbeddingDim, tuned.MaxBits)
		}
		return t.file(p.MapSize, p.ColourBits, total)
	}
	data, err := t.fit(ctx, o.Bytes)
	if err == nil && data == nil {
		err = optionErrorf("%d bytes: no file is so small", o.Bytes)
	}
	return data, err
}

// A frame is what is kept of a picture.
type frame struct {
	rgb   []byte // [h,w,3]
	w, h  int
	shape container.Shape
}

func newFrame(img image.Image, whole bool) (f frame, err error) {
	if !whole {
		f.rgb, f.w, err = stream.CentreSquare(img)
		f.h = f.w
		return f, err
	}
	if b := img.Bounds(); !b.Empty() { // before the pixels are read
		if f.shape, err = container.ShapeOf(b.Dx(), b.Dy()); err != nil {
			return f, err
		}
	}
	f.rgb, f.w, f.h, err = stream.Whole(img)
	return f, err
}

// embed returns the CLIP vector of a picture; a whole one is stretched to the
// tower's square, as in the training of Stable unCLIP.
func (c *Codec) embed(ctx context.Context, f frame, trace func(string, []float32)) ([]float32, error) {
	pre, err := c.model.Preprocessor()
	if err != nil {
		return nil, err
	}
	tower, err := c.model.ImageEncoder(ctx)
	if err != nil {
		return nil, err
	}
	var ws nn.Workspace // exact
	defer ws.Close()
	pixels := ws.Get(1, pre.CropSize, pre.CropSize, 3)
	seen := pre.Preprocess
	if f.shape != 0 {
		seen = pre.PreprocessWhole
	}
	vit.Normalize(pixels.Data, seen(f.rgb, f.w, f.h), pre.Mean, pre.Std)
	x, err := tower.Forward(ctx, &ws, pixels)
	if err != nil {
		return nil, err
	}
	if err := c.finite(weights.ImageEncoder, x); err != nil {
		return nil, err
	}
	if trace != nil {
		trace("pixel_values", pixels.NCHW())
		trace("image_embeds", x.Data)
	}
	return append([]float32(nil), x.Data...), nil
}
