package inspect_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

// subject returns a file of the built-in model, of a picture in one color.
func subject(t *testing.T, name string, c color.Color, o codec.EncodeOptions) inspect.Subject {
	t.Helper()
	m, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	img := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for i := range 800 {
		img.Set(i%40, i/40, c)
	}
	data, err := m.Encode(t.Context(), img, &o)
	if err != nil {
		t.Fatal(err)
	}
	s := inspect.Subject{Name: name, Model: "built-in", Side: 128}
	if o.Raw {
		s.File, err = codec.ParseRaw(data, o.Format)
		s.Vector = s.File.RawVector()
	} else if s.File, err = codec.Parse(data); err == nil {
		s.Vector, err = m.Vector(s.File)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSampling: info's JSON says how a file is painted under the name and in the
// numbers of the HTTP API, whose clients cannot read a seed of 64 bits as a number.
func TestSampling(t *testing.T) {
	sampling := codec.DefaultSampling(codec.Tuned)
	sampling.Seed = math.MaxUint64
	s := subject(t, "a", color.White, codec.EncodeOptions{Profile: codec.Tuned, Sampling: &sampling})
	data, err := json.Marshal(inspect.Describe(s))
	if err != nil {
		t.Fatal(err)
	}
	var d struct{ Sampling json.RawMessage }
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	if want := `{"steps":20,"guidance":12,"strength":0.88,"seed":"18446744073709551615","color_guidance":0.8}`; string(d.Sampling) != want {
		t.Errorf("%s, want %s", d.Sampling, want)
	}
}

// TestSizeOf: a file is described in the size at which it is painted.
func TestSizeOf(t *testing.T) {
	m, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, size := range []image.Point{{96, 64}, {64, 96}, {600, 100}, {50, 50}} {
		data, err := m.Encode(t.Context(), image.NewGray(image.Rectangle{Max: size}), &codec.EncodeOptions{Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		f, err := codec.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		img, err := m.Paint(t.Context(), f, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := inspect.SizeOf(f, 128), img.Bounds().Size(); got != (inspect.Size{Width: want.X, Height: want.Y}) {
			t.Errorf("a picture of %v is described as %v and painted as %v", size, got, want)
		}
	}
}

func screen(w *bytes.Buffer) *terminal.Screen {
	return terminal.New(w, w, func(string) string { return "" })
}

// TestDescribe: what a description has of a file, as values and as text.
func TestDescribe(t *testing.T) {
	gray := color.Gray{200}
	square := inspect.Describe(subject(t, "a", gray, codec.EncodeOptions{}))
	if got, want := square.BitsPerPixel, 8*float64(square.Bytes)/(128*128); got != want || square.Size != 128 {
		t.Errorf("%g bits per pixel at %d, want %g", got, square.Size, want)
	}
	whole := inspect.Describe(subject(t, "b", gray, codec.EncodeOptions{Whole: true, Profile: codec.Tuned}))
	if got, want := whole.BitsPerPixel, 8*float64(whole.Bytes)/(128*64); got != want || whole.Whole != "128x64" {
		t.Errorf("of a whole picture %g bits per pixel at %s, want %g", got, whole.Whole, want)
	}
	unknown := subject(t, "c\x1b[2J", gray, codec.EncodeOptions{})
	unknown.Side, unknown.Vector, unknown.Model = 0, nil, ""
	none := inspect.Describe(unknown)
	if none.Size != inspect.DefaultSide || none.Clip.Codes != nil {
		t.Errorf("without the model: %+v", none)
	}
	if sum := square.Split.Header + square.Split.Color + square.Split.Vector; math.Abs(sum-float64(square.Bytes)) > 1e-9 {
		t.Errorf("parts of %g bytes, of a file of %d", sum, square.Bytes)
	}
	if n := square.Color.Size; len(square.Color.RGB) != n || len(square.Color.RGB[0]) != n || len(square.Color.U) != n/2 || !strings.HasPrefix(square.Color.Mean, "#") {
		t.Errorf("color map %+v", square.Color)
	}
	raw := inspect.Describe(subject(t, "d", gray, codec.EncodeOptions{Raw: true}))
	for _, c := range []struct {
		d    inspect.Description
		want string
	}{
		{square, "paper profile, of model 241 (built-in)"}, {square, "the center square; 20 steps, guidance 12, strength 0.88, seed 0"}, {square, "of them not negative"},
		{whole, "tuned profile, of model 241"}, {whole, "128x64; 20 steps"}, {whole, "more of them for some"},
		{none, "of model 241 (not on this machine)"}, {none, "768 dimensions in 768 bits, not read"}, {none, "at 768 x 768"}, {none, "c?[2J: "}, {raw, "file:        raw bits"},
	} {
		var b bytes.Buffer
		c.d.Print(screen(&b))
		if !strings.Contains(b.String(), c.want) || strings.Contains(b.String(), "\x1b") {
			t.Errorf("%s is printed without %q:\n%s", c.d.File, c.want, b.String())
		}
		if strings.Count(c.d.Row(), "\t") != strings.Count(inspect.Header, "\t") || strings.Contains(c.d.Row(), "\x1b") {
			t.Errorf("%q is not a row", c.d.Row())
		}
	}
}

// TestCompare: two files in figures.
func TestCompare(t *testing.T) {
	white, black := subject(t, "white", color.White, codec.EncodeOptions{}), subject(t, "black", color.Black, codec.EncodeOptions{})
	same, err := inspect.Compare(white, white)
	if err != nil || math.Abs(same.Cosine-1) > 1e-6 || *same.Hamming != 0 || same.ColorScore != 0 || same.ClipBits != 768 {
		t.Errorf("a file and itself: %+v, %v", same, err)
	}
	c, err := inspect.Compare(white, black)
	if err != nil || c.Cosine >= same.Cosine || *c.Hamming == 0 || c.ColorScore < 0.4 || c.ColorScore > 1 {
		t.Errorf("white and black: %+v, %v", c, err)
	}
	var b bytes.Buffer
	c.Print(&b)
	if !strings.Contains(b.String(), "of 768 bits differ") || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("printed:\n%s", b.String())
	}
	tuned, err := inspect.Compare(white, subject(t, "tuned", color.White, codec.EncodeOptions{Profile: codec.Tuned}))
	if data, _ := json.Marshal(tuned); err != nil || tuned.Hamming != nil || bytes.Contains(data, []byte("hamming")) {
		t.Errorf("across profiles: %s, %v", data, err)
	}
	white.Vector = nil
	if _, err := inspect.Compare(black, white); err == nil || !strings.HasPrefix(err.Error(), "white: its CLIP bits cannot be read") {
		t.Errorf("without the model: %v", err)
	}
}
