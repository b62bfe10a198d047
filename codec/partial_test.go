package codec

import (
	"bytes"
	"context"
	"errors"
	"image"
	"testing"
)

// TestPartial: when the context ends after the first step, the picture of the
// last step's estimate is returned if it is asked for.
func TestPartial(t *testing.T) {
	c := builtIn(t)
	data, err := c.Encode(t.Context(), readPicture(t, sceneNames(t)[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	complete := decodePix(t, c, data, nil)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	last := Progress{Stage: StageDenoise, Step: 17, Steps: 17}
	for _, test := range []struct {
		name    string
		at      Progress // the context ends when this is reported
		partial func() context.Context
		whole   bool // the picture is the complete one
		none    bool // there is no picture
	}{
		{"without", Progress{Stage: StageDenoise, Step: 9, Steps: 17}, nil, false, true},
		{"before the steps", Progress{Stage: StageColor}, context.Background, false, true},
		{"before the first step", Progress{Stage: StageDenoise, Step: 0, Steps: 17}, context.Background, false, true},
		{"after the first step", Progress{Stage: StageDenoise, Step: 1, Steps: 17}, context.Background, false, false},
		{"halfway", Progress{Stage: StageDenoise, Step: 9, Steps: 17}, context.Background, false, false},
		{"twice", Progress{Stage: StageDenoise, Step: 9, Steps: 17}, func() context.Context { return ended }, false, true},
		{"after the last step", last, context.Background, true, false},
		{"in the last stage", Progress{Stage: StagePicture}, context.Background, true, false},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var preview *image.RGBA
		o := &DecodeOptions{Partial: test.partial, Preview: func(p Preview) { preview = p.Image.(*image.RGBA) }}
		o.Progress = func(p Progress) {
			if p == test.at {
				cancel()
			}
		}
		img, err := c.Decode(ctx, data, o)
		cancel()
		if !errors.Is(err, context.Canceled) || (img == nil) != test.none {
			t.Errorf("%s: picture %v, error %v", test.name, img != nil, err)
			continue
		}
		if test.none {
			continue
		}
		got := img.(*image.RGBA)
		if bytes.Equal(got.Pix, complete) != test.whole {
			t.Errorf("%s: the picture is the complete one: %v", test.name, !test.whole)
		}
		if db := decibels(squares(got, 8), preview.Pix); db < 25 {
			t.Errorf("%s: the picture is %.1f dB from the last preview", test.name, db)
		} else {
			t.Logf("%s: %.1f dB", test.name, db)
		}
	}
	if !bytes.Equal(decodePix(t, c, data, nil), complete) {
		t.Error("the next picture is another one")
	}
}
