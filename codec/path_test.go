package codec

import (
	"bytes"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/coclico/coclico/internal/hook"
	"github.com/coclico/coclico/solver"
)

// TestColorGuidanceFades: with a color guidance of 1 a decode of one step has
// the color map's lowest frequencies, three quarters of the map's along each
// axis, and no others. The last of several steps is moved by an eighth alone.
func TestColorGuidanceFades(t *testing.T) {
	c := open(t, "tiny")
	data, err := c.Encode(t.Context(), testPicture(64, 64), &EncodeOptions{Profile: Tuned})
	if err != nil {
		t.Fatal(err)
	}
	// left returns how far the painted latent is from the map's in a band.
	left := func(steps, band int) float64 {
		z, target := ownTensor(8, 8, 4), ownTensor(8, 8, 4)
		ctx := hook.With(t.Context(), hook.Hook{Trace: func(name string, values []float32) {
			switch name {
			case "latents":
				z.SetNCHW(values)
			case "z_color":
				target.SetNCHW(values)
			}
		}})
		o := &DecodeOptions{Size: 64, Sampling: &Sampling{Steps: steps, Guidance: 3, Strength: 1, ColorGuidance: 1}}
		if _, err := c.Decode(ctx, data, o); err != nil {
			t.Fatal(err)
		}
		moved := ownTensor(8, 8, 4)
		copy(moved.Data, z.Data)
		solver.NewLowBand(8, 8, 4, band).Pull(moved.Data, target.Data, 1)
		sum := 0.0
		for i, v := range moved.Data {
			sum += math.Pow(float64(v-z.Data[i]), 2)
		}
		return math.Sqrt(sum / float64(len(z.Data)))
	}
	if d := left(1, 6); d > 1e-5 {
		t.Errorf("after one step the lowest frequencies are %g from the map's", d)
	}
	if d := left(1, 7); d < 0.01 {
		t.Errorf("after one step higher frequencies are only %g from the map's", d)
	}
	if d := left(2, 6); d < 0.01 {
		t.Errorf("after two steps the lowest frequencies are only %g from the map's", d)
	}
}

// TestNoiseOffset: a picture begins with the noise that FORMAT.md describes, of a
// candidate too.
func TestNoiseOffset(t *testing.T) {
	c := open(t, "tiny")
	for name, test := range map[string]struct {
		profile Profile
		own     bool
	}{"paper": {Paper, false}, "tuned": {Tuned, true}} {
		s := Sampling{Steps: 4, Guidance: 3, Strength: 0.75, Seed: 1<<64 - 1}
		data, err := c.Encode(t.Context(), testPicture(48, 64), &EncodeOptions{Profile: test.profile, Sampling: &s})
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if f, err = Parse(f.f.WithCandidate(5)); err != nil {
			t.Fatal(err)
		}
		seed := uint64(4) // 1<<64 - 1 + 5
		if test.own {
			v, err := c.Vector(f)
			if err != nil {
				t.Fatal(err)
			}
			codes := slices.Concat(f.f.Map.Y, f.f.Map.U, f.f.Map.V)
			for _, code := range v.Codes {
				codes = append(codes, byte(code), byte(code>>8))
			}
			own := uint32(2166136261)
			for _, b := range codes {
				own = (own ^ uint32(b)) * 16777619
			}
			seed += uint64(own)
		}
		noise := make([]float32, 8*8*4)
		solver.NewGenerator(seed).Randn(noise)
		ctx := hook.With(t.Context(), hook.Hook{Noise: noise})
		want, err := c.Paint(ctx, f, &DecodeOptions{Size: 64})
		if err != nil {
			t.Fatal(err)
		}
		if got := paintPix(t, c, f, &DecodeOptions{Size: 64}); !bytes.Equal(got, want.(*image.RGBA).Pix) {
			t.Errorf("%s: painted from another noise", name)
		}
	}
}
