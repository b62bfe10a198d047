// Package hook lets this module's tools and tests look into the codec's work,
// and replace the noise that a decode starts from. A hook travels in the
// context of a call.
package hook

import (
	"context"
	"sync/atomic"
)

// A Hook is called, or asked, during an encode or a decode. Zero fields do
// nothing.
type Hook struct {
	// Trace is given intermediate values, in the order of PyTorch. Encode:
	// pixel_values [3,S,S], image_embeds [D]. Decode: condition [2D], z_color
	// and latents [4,h/f,w/f], the latter before the first step and after
	// each, and image [3,h,w] in [0,1]. The values are valid during the call
	// only.
	Trace func(name string, values []float32)

	// Noise, if not nil, replaces the initial noise of a decode: [4,h/f,w/f]
	// standard normal values, with f the VAE's factor, in the order of PyTorch.
	Noise []float32
}

// Parses counts the calls of codec.Parse, for tests of callers that must parse
// a file once.
var Parses atomic.Int64

type key struct{}

// With returns a context that carries h.
func With(ctx context.Context, h Hook) context.Context { return context.WithValue(ctx, key{}, h) }

// From returns the hook that ctx carries.
func From(ctx context.Context) Hook {
	h, _ := ctx.Value(key{}).(Hook)
	return h
}
