package codec

import (
	"bytes"
	"errors"
	"image/jpeg"
	"os"
	"testing"

	"github.com/coclico/coclico/codec/container"
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
		if h, err := container.ReadHeader(data); err != nil || h.Profile != Tuned {
			t.Errorf("budget %d: %+v (%v)", budget, h, err)
		}
		o := EncodeOptions{Profile: Tuned, Bytes: budget, Whole: budget == 300}
		if !o.Fits(data) {
			t.Errorf("budget %d: the file does not fit its options", budget)
		}
	}
	if last < 2000 {
		t.Errorf("the largest budget gives %d bytes", last)
	}
}

// TestTuned: the profile is painted, its parameters are kept, and it is not the paper's.
func TestTuned(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(90, 60)
	paper, err := c.Encode(t.Context(), img, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []EncodeOptions{
		{Profile: Tuned}, {Profile: Tuned, VectorBits: 50}, {Profile: Tuned, Format: Format{ClipBits: 3, MapSize: 12, ColourBits: 3}},
	} {
		data, err := c.Encode(t.Context(), img, &o)
		if err != nil {
			t.Fatal(err)
		}
		if !o.Fits(data) || o.Fits(paper) || (EncodeOptions{}).Fits(data) {
			t.Errorf("%+v: Fits does not tell its file", o)
		}
		if bytes.Equal(decodePix(t, c, data, quick()), decodePix(t, c, paper, quick())) {
			t.Errorf("%+v: painted as the paper's profile", o)
		}
	}
	for _, o := range []EncodeOptions{
		{Bytes: 100}, {VectorBits: 5}, {Profile: 2}, {Profile: Tuned, Bytes: MinBytes - 1}, {Profile: Tuned, Bytes: MaxBytes + 1},
		{Profile: Tuned, Format: Format{ClipBits: 6}}, {Profile: Tuned, VectorBits: 5*32 + 1}, {Profile: Tuned, VectorBits: -1}, {Profile: Tuned, Raw: true},
	} {
		var want OptionError
		if _, err := c.Encode(t.Context(), img, &o); !errors.As(err, &want) {
			t.Errorf("%+v: error %v, want an OptionError", o, err)
		}
	}
}
