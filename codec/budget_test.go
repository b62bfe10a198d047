package codec

import (
	"bytes"
	"errors"
	"image/jpeg"
	"os"
	"strings"
	"testing"
)

// TestBudget: a budget is kept, nearly used, and more of it loses less.
func TestBudget(t *testing.T) {
	f, err := os.Open("testdata/photos/coffee.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, "tiny-768")
	last := 0
	for _, budget := range []int{MinBytes, 60, 112, 120, 300, 1000, MaxBytes} {
		data, err := c.Encode(t.Context(), img, &EncodeOptions{Profile: Tuned, Bytes: budget, Whole: budget == 300})
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > budget || len(data) < budget-2 && budget < 1000 || len(data) <= last {
			t.Errorf("a budget of %d gives %d bytes, the one before %d", budget, len(data), last)
		}
		last = len(data)
		f, err := Parse(data)
		if err != nil || f.Profile() != Tuned || f.Whole() != (budget == 300) {
			t.Fatalf("budget %d: %v", budget, err)
		}
		if full := f.VectorBits() == 5*f.Dimensions(); !full && len(data) <= budget*9/10 {
			t.Errorf("budget %d: %d bytes, and the vector has room", budget, len(data))
		}
	}
	if last < 2000 {
		t.Errorf("the largest budget gives %d bytes", last)
	}
}

// TestTuned: a tuned file is painted, and not as the paper's.
func TestTuned(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(90, 60)
	paper, err := c.Encode(t.Context(), img, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []EncodeOptions{
		{Profile: Tuned}, {Profile: Tuned, VectorBits: 50}, {Profile: Tuned, Format: Format{DimensionBits: 3, MapSize: 12, ColorBits: 3}},
	} {
		data, err := c.Encode(t.Context(), img, &o)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := Parse(data); err != nil || f.Profile() != Tuned {
			t.Errorf("%+v: not a tuned file (%v)", o, err)
		}
		if bytes.Equal(decodePix(t, c, data, quick()), decodePix(t, c, paper, quick())) {
			t.Errorf("%+v: painted as the paper's profile", o)
		}
	}
	for _, o := range []EncodeOptions{
		{Bytes: 100}, {VectorBits: 5}, {Profile: 2}, {Profile: Tuned, Bytes: MinBytes - 1}, {Profile: Tuned, Bytes: MaxBytes + 1},
		{Profile: Tuned, Format: Format{DimensionBits: 6}}, {Profile: Tuned, VectorBits: 5*32 + 1}, {Profile: Tuned, VectorBits: -1}, {Profile: Tuned, Raw: true},
	} {
		var want OptionError
		begun := false
		o.Progress = func(Progress) { begun = true }
		if _, err := c.Embed(t.Context(), img, &o); !errors.As(err, &want) || begun {
			t.Errorf("%+v: error %v, want an OptionError before the image encoder runs (it has: %t)", o, err, begun)
		}
	}
}

// TestMisfit: a normalizer of another size than the image encoder's vectors is an
// error before that runs.
func TestMisfit(t *testing.T) {
	c := altered(t, change{"image_normalizer/config.json", "32", "24"})
	o := &EncodeOptions{Progress: func(p Progress) { t.Errorf("%s begins", p.Stage) }}
	if _, err := c.Embed(t.Context(), testPicture(9, 9), o); err == nil || !strings.Contains(err.Error(), "image_normalizer: 24 dimensions; the image_encoder has 32") {
		t.Errorf("error %v", err)
	}
}
