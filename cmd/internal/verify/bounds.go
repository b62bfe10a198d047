package verify

import "slices"

// bounds are the largest permitted relative RMS errors of tensors.
type bounds struct {
	vision, text, encode, decode, unet limit   // outputs
	latents, picture                   limit   // of the round trip
	mid                                float64 // outputs of layers; 0 prints them without a verdict
	codes                              float64 // fraction of the CLIP codes that may differ
	pictureSteps                       float64 // fraction of a uint8 picture's values that may be one off; 0 judges the RMS error
}

// A limit is a bound that depends on the model. Reference errors are known for
// two models, tiny and unclip-l, which a tensor's number of values tells apart.
// A tensor of another size has the larger bound.
type limit struct{ tiny, full sized }

// A sized is a bound for tensors with one of these numbers of values.
type sized struct {
	bound float64
	lens  []int
}

func (l limit) of(n int) float64 {
	switch {
	case slices.Contains(l.tiny.lens, n):
		return l.tiny.bound
	case slices.Contains(l.full.lens, n):
		return l.full.bound
	}
	return max(l.tiny.bound, l.full.bound)
}

func same(bound float64) limit { return limit{tiny: sized{bound: bound}} }

// halfBound is the exact bound for a picture stored as float16, whose rounding
// alone is an error of 2e-4.
const halfBound = 3e-4

// exactBounds returns the bounds of float32 arithmetic.
func exactBounds() bounds {
	return bounds{
		vision: same(2e-5), text: same(2e-5), encode: same(2e-5), decode: same(2e-5), unet: same(2e-5),
		latents: limit{sized{2e-4, tinyLatents()}, sized{1e-3, fullLatents()}},
		picture: same(2e-4),
		mid:     2e-5, pictureSteps: 0.001,
	}
}

// fastBounds returns the errors of PyTorch's own bfloat16 runs of the same
// cases (bench/golden/README.md).
func fastBounds() bounds {
	return bounds{
		vision:  limit{sized{9.4e-3, []int{32, 2 * 32}}, sized{1.26e-2, []int{768, 2 * 768}}},
		text:    limit{sized{8.4e-3, []int{2 * 77 * 64}}, sized{1.3e-2, []int{2 * 77 * 1024}}},
		encode:  limit{sized{1.7e-2, tinyLatents()}, sized{2.2e-2, fullLatents()}},
		decode:  limit{sized{1.4e-2, tinyImages()}, sized{1.2e-2, fullImages()}},
		unet:    limit{sized{2.0e-2, []int{2 * 4 * 16 * 16, 2 * 4 * 8 * 24}}, sized{1.8e-2, []int{2 * 4 * 96 * 96, 2 * 4 * 48 * 96}}},
		latents: limit{sized{5.0e-2, tinyLatents()}, sized{2.6e-2, fullLatents()}},
		picture: limit{sized{2.4e-2, tinyImages()}, sized{1.4e-2, fullImages()}},
		codes:   0.01,
	}
}

// The VAE's picture has half the side of the round trip's in the tiny cases,
// and the same side at full size.
func tinyLatents() []int { return []int{4 * 8 * 8, 4 * 16 * 16} }
func fullLatents() []int { return []int{4 * 96 * 96} }
func tinyImages() []int  { return []int{3 * 64 * 64, 3 * 128 * 128} }
func fullImages() []int  { return []int{3 * 768 * 768} }
