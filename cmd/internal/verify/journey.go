package verify

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/internal/hook"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/weights"
)

// resizedShare is the fraction of a resized picture's values that may be one
// off.
const resizedShare = 0.001

// preprocess judges pictures prepared for the CLIP tower, in uint8 and
// normalized. The size of the crop is the case's, mean and deviation are the
// model's.
func (v *verifier) preprocess(c *goldenCase) error {
	pre, err := v.model.Preprocessor()
	if err != nil {
		return err
	}
	key := regexp.MustCompile(`^out/([0-9]+)/(resized_uint8|pixel_values)$`)
	for _, name := range c.store.Names() {
		m := key.FindStringSubmatch(name)
		if m == nil || c.err != nil {
			continue
		}
		rgb, h, w := c.picture("in/" + m[1])
		t := c.tensor(name, 3, -1, -1)
		size := t.Shape[1]
		if c.err == nil && (t.Shape[2] != size || size > 4096) {
			c.fail("tensor %s is %v, not a square picture", name, t.Shape)
		}
		if c.err != nil {
			return c.err
		}
		px := vit.Preprocess(rgb, w, h, size)
		if m[2] == "pixel_values" {
			v.normalized(name, px, pre, t.Float32s(), size)
			continue
		}
		x := make([]float32, len(px))
		for i, b := range px {
			x[i] = float32(b)
		}
		v.report(compareSteps(name, planes(x, size), t.Float32s(), 1, resizedShare, 0))
	}
	return nil
}

// normalized compares normalized pixels [3,size,size] in steps of their uint8
// values.
func (v *verifier) normalized(name string, px []byte, pre vit.PreprocessConfig, want []float32, size int) {
	got := make([]float32, len(px))
	vit.Normalize(got, px, pre.Mean, pre.Std)
	got = planes(got, size)
	for i := range min(len(want), len(got)) {
		step := 1 / (255 * pre.Std[i/(size*size)])
		got[i], want[i] = got[i]/step, want[i]/step
	}
	v.report(compareSteps(name, got, want, 1, resizedShare, 0))
}

// roundtrip judges a whole journey. Of encoding it judges the pixels of the
// picture, the vector and its codes for the case's pixels, and the color map.
// Of decoding it judges the codec's own Decode for the case's codes and noise.
func (v *verifier) roundtrip(c *goldenCase) error {
	v.drop()
	p, symbols, err := v.roundtripEncode(c)
	if err != nil {
		return err
	}
	return v.roundtripDecode(c, p, symbols)
}

func (v *verifier) roundtripEncode(c *goldenCase) (format.Params, format.Symbols, error) {
	var none format.Symbols
	pre, err := v.model.Preprocessor()
	if err != nil {
		return format.Params{}, none, err
	}
	net, err := v.model.ImageEncoder(v.ctx)
	if err != nil {
		return format.Params{}, none, err
	}
	v.use(net.Release)
	s := net.Config().ImageSize
	p := format.Params{Dimensions: net.Config().ProjectionDim}.WithDefaults()
	rgb, h, w := c.picture("in/image")
	px, _ := c.floats("mid/pixel_values", 1, 3, s, s)
	vector, _ := c.floats("mid/image_embeds", p.Dimensions)
	codes, _ := c.ints("mid/embedding_codes", p.Dimensions)
	if c.err != nil {
		return p, none, c.err
	}
	v.normalized("mid/pixel_values", vit.Preprocess(rgb, w, h, s), pre, append([]float32(nil), px...), s)

	x, err := net.Forward(v.ctx, &v.ws, tensor(px, 1, 3, s, s))
	if err != nil {
		return p, none, err
	}
	got := make([]uint16, p.Dimensions)
	if err := quant.QuantizePaperVector(got, x.Data, p.DimensionBits); err != nil {
		return p, none, fmt.Errorf("%s: image_embeds: %w", c.path, err)
	}
	v.report(compare("mid/image_embeds", x.Data, vector, v.bounds.vision.of(len(vector))))
	v.report(compareCodes("mid/embedding_codes", widen(got), codes, v.bounds.codes))
	v.ws.Put(x)
	v.drop()

	symbols := format.Symbols{Vector: narrow[uint16](c, "mid/embedding_codes", codes, p.DimensionBits)}
	symbols.ColorMap, err = v.roundtripColor(c, p, rgb, h, w)
	return p, symbols, err
}

func (v *verifier) roundtripColor(c *goldenCase, p format.Params, rgb []byte, h, w int) (format.ColorMap, error) {
	var golden format.ColorMap
	n := p.MapSize
	got := quant.QuantizePaperColor(quant.NewPlanes(rgb, w, h, n, false), n, p.ColorBits)
	for _, plane := range []struct {
		name string
		size int
		got  []uint8
		to   *[]uint8
	}{{"mid/y", n, got.Y, &golden.Y}, {"mid/u", n / 2, got.U, &golden.U}, {"mid/v", n / 2, got.V, &golden.V}} {
		want, _ := c.ints(plane.name, plane.size, plane.size)
		*plane.to = narrow[uint8](c, plane.name, want, p.ColorBits)
		if c.err == nil {
			v.report(compareCodes(plane.name, widen(plane.got), want, 0))
		}
	}
	want, _ := c.floats("mid/rgb_map", 3, n, n)
	if c.err == nil {
		v.report(compare("mid/rgb_map", planes(quant.DequantizePaperColor(golden, n, p.ColorBits), n), want, arithmeticBound))
	}
	return golden, c.err
}

// narrow returns codes of the given number of bits.
func narrow[T uint8 | uint16](c *goldenCase, name string, x []int64, bits int) []T {
	out := make([]T, len(x))
	for i, v := range x {
		if v < 0 || v>>bits != 0 {
			c.fail("%s: %d is not a code of %d bits", name, v, bits)
		}
		out[i] = T(v)
	}
	return out
}

func (v *verifier) roundtripDecode(c *goldenCase, p format.Params, symbols format.Symbols) error {
	noise, s := c.floats("in/noise", 1, -1, -1, -1)
	condition, _ := c.floats("mid/condition", 1, 2*p.Dimensions)
	z, _ := c.floats("mid/z_color", s...)
	latents, ls := c.floats("mid/latents", -1, 1, s[1], s[2], s[3])
	side := 0
	if t, ok := c.store.Lookup("out/image"); ok && len(t.Shape) == 3 {
		side = t.Shape[1]
	}
	image := c.tensor("out/image", 3, side, side)
	if c.err != nil {
		return c.err
	}
	var trajectory [][]float32
	trace := func(name string, x []float32) {
		switch name {
		case "condition":
			v.report(compare("mid/condition", x, condition, arithmeticBound))
		case "z_color":
			v.report(compare("mid/z_color", x, z, v.bounds.encode.of(len(z))))
		case "latents":
			trajectory = append(trajectory, append([]float32(nil), x...))
		case "image":
			v.image(image, x)
		}
	}
	file, err := codec.ParseRaw(format.Pack(p, symbols), codec.Format{DimensionBits: p.DimensionBits, MapSize: p.MapSize, ColorBits: p.ColorBits})
	if err != nil {
		return err
	}
	ctx := hook.With(v.ctx, hook.Hook{Trace: trace, Noise: noise})
	_, err = codec.New(v.model.Folder()).Paint(ctx, file, &codec.DecodeOptions{Size: side, Exact: v.exact})
	var option codec.OptionError
	switch {
	case errors.As(err, &option): // the case is wrong, not the command line
		c.fail("%s", option)
		return c.err
	case err != nil:
		return err
	}
	v.latents(trajectory, latents, ls[0])
	return nil
}

// latents compares a trajectory. A case of three latents has the first two and
// the last.
func (v *verifier) latents(got [][]float32, want []float32, n int) {
	if n == 3 && len(got) > 3 {
		got = [][]float32{got[0], got[1], got[len(got)-1]}
	}
	size := len(want) / n
	bound := v.bounds.latents.of(size)
	var all []float32
	for _, x := range got {
		all = append(all, x...)
	}
	v.report(compare("mid/latents", all, want, bound))
	v.report(compare("mid/latents: the last", got[len(got)-1], want[len(want)-size:], bound))
}

// image compares the picture, whose values are in [0,1] or, at full size,
// uint8.
func (v *verifier) image(want weights.Tensor, got []float32) {
	ref := want.Float32s()
	if want.DType != weights.U8 {
		v.report(compare("out/image", got, ref, v.bounds.picture.of(len(ref))))
		return
	}
	got = append([]float32(nil), got...)
	for i, x := range got {
		got[i] = float32(int(x*255 + 0.5))
	}
	bound := 0.0
	if v.bounds.pictureSteps == 0 {
		bound = v.bounds.picture.of(len(ref))
	}
	v.report(compareSteps("out/image", got, ref, 1, v.bounds.pictureSteps, bound))
}
