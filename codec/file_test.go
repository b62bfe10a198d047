package codec

import (
	"bytes"
	"errors"
	"image"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/model/synth"
)

// TestFileAndRaw: a file and raw bits say the same.
func TestFileAndRaw(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(90, 60)
	for _, f := range []Format{{}, {ClipBits: 3, MapSize: 12, ColourBits: 4}} {
		file, err := c.Encode(t.Context(), img, &EncodeOptions{Format: f})
		if err != nil {
			t.Fatal(err)
		}
		bits, err := c.Encode(t.Context(), img, &EncodeOptions{Format: f, Raw: true})
		if err != nil {
			t.Fatal(err)
		}
		r := raw()
		r.Format = f
		if !bytes.Equal(decodePix(t, c, file, quick()), decodePix(t, c, bits, r)) {
			t.Errorf("%+v: a file and raw bits are painted differently", f)
		}
	}
}

// TestPaintingInFile: the file's parameters are the decoder's, unless it has others.
func TestPaintingInFile(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(64, 64)
	plain, err := c.Encode(t.Context(), img, nil)
	if err != nil {
		t.Fatal(err)
	}
	said, err := c.Encode(t.Context(), img, &EncodeOptions{Painting: Painting{Steps: 4, Guidance: 7.5, Strength: 0.5, Seed: 9}})
	if err != nil {
		t.Fatal(err)
	}
	want := decodePix(t, c, plain, &DecodeOptions{Size: 32, Steps: 4, Guidance: 7.5, Strength: 0.5, Seed: new(uint64(9))})
	if !bytes.Equal(want, decodePix(t, c, said, &DecodeOptions{Size: 32})) {
		t.Error("the file's parameters are not used")
	}
	other := &DecodeOptions{Size: 32, Steps: 2, Guidance: 1, Strength: 1, Seed: new(uint64(0))}
	if !bytes.Equal(decodePix(t, c, plain, other), decodePix(t, c, said, other)) {
		t.Error("the file's parameters replace the decoder's")
	}
	zeros, err := c.Encode(t.Context(), img, &EncodeOptions{Painting: Painting{Steps: 2, Guidance: None, Strength: None}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(decodePix(t, c, zeros, &DecodeOptions{Size: 32}), decodePix(t, c, plain, &DecodeOptions{Size: 32, Steps: 2, Guidance: None, Strength: None})) {
		t.Error("zeros do not survive")
	}
}

func TestBadFileOptions(t *testing.T) {
	c := open(t, "tiny")
	for _, o := range []EncodeOptions{
		{Painting: Painting{Guidance: 12.345}}, {Painting: Painting{Guidance: 700}}, {Painting: Painting{Strength: 0.12345}},
		{Painting: Painting{Strength: 1.5}}, {Painting: Painting{Steps: 1025}}, {Painting: Painting{Steps: -1}},
		{Raw: true, Whole: true}, {Raw: true, Painting: Painting{Seed: 1}},
	} {
		var want OptionError
		if _, err := c.Encode(t.Context(), testPicture(8, 8), &o); !errors.As(err, &want) {
			t.Errorf("%+v: error %v, want an OptionError", o, err)
		}
	}
}

// TestWhole: a picture of any shape up to 6:1 keeps it.
func TestWhole(t *testing.T) {
	c := open(t, "tiny")
	for _, s := range []struct{ w, h, outW, outH int }{
		{300, 200, 48, 32}, {200, 300, 32, 48}, {500, 100, 48, 8}, {100, 590, 8, 48}, {1, 1, 48, 48}, {64, 64, 48, 48},
	} {
		data, err := c.Encode(t.Context(), testPicture(s.w, s.h), &EncodeOptions{Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		h, err := container.ReadHeader(data)
		if err != nil || h.Shape == 0 {
			t.Errorf("%d x %d: shape %d (%v)", s.w, s.h, h.Shape, err)
		}
		img, err := c.Decode(t.Context(), data, &DecodeOptions{Steps: 2, Size: 48})
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b != image.Rect(0, 0, s.outW, s.outH) {
			t.Errorf("%d x %d is painted as %v, want %d x %d", s.w, s.h, b, s.outW, s.outH)
		}
	}
	var unsupported UnsupportedError
	if _, err := c.Encode(t.Context(), testPicture(700, 100), &EncodeOptions{Whole: true}); !errors.As(err, &unsupported) {
		t.Errorf("7:1: %v", err)
	}
}

// TestWrongModel: a file of another model is refused with both models' names, and decoded by force.
func TestWrongModel(t *testing.T) {
	c := open(t, "tiny")
	folder, err := synth.Folder("tiny", 2)
	if err != nil {
		t.Fatal(err)
	}
	other := New(folder)
	defer other.Close()
	data, err := c.Encode(t.Context(), testPicture(64, 64), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Decode(t.Context(), data, quick())
	var wrong *ModelError
	if !errors.As(err, &wrong) || wrong.File == wrong.Model {
		t.Fatalf("error %v, want a ModelError", err)
	}
	if m, _ := c.FileModel(); wrong.File != m.Fingerprint {
		t.Errorf("the file's fingerprint is %03x, want %03x", wrong.File, m.Fingerprint)
	}
	force := quick()
	force.Force = true
	img, err := other.Decode(t.Context(), data, force)
	if err != nil || img.Bounds().Dx() != 32 {
		t.Errorf("by force: %v", err)
	}
	large := open(t, "tiny-768")
	if _, err := large.Decode(t.Context(), data, force); !errors.As(err, &wrong) {
		t.Errorf("by force with vectors of another size: %v", err)
	}
	builtIn, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	b := New(builtIn)
	defer b.Close()
	data, err = b.Encode(t.Context(), testPicture(64, 64), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Decode(t.Context(), data, quick()); err == nil || !strings.Contains(err.Error(), "the built-in model (") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a file of the built-in model: %v", err)
	}
}

// TestBuiltInFile: the constant is what the built-in model's files have.
func TestBuiltInFile(t *testing.T) {
	folder, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	c := New(folder)
	defer c.Close()
	if m, err := c.FileModel(); err != nil || m.Fingerprint != builtInFile {
		t.Errorf("%#04x, %v, want %#04x", m.Fingerprint, err, builtInFile)
	}
}

// TestFileModel: the moments of float16 and float32 weights are the same.
func TestFileModel(t *testing.T) {
	dir := t.TempDir()
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	half, err := c.FileModel()
	if err != nil {
		t.Fatal(err)
	}
	widenAll(t, c, "image_normalizer")
	wide, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	if m, err := wide.FileModel(); err != nil || m.Fingerprint != half.Fingerprint || !slices.Equal(m.Moments, half.Moments) {
		t.Errorf("float32 weights have other moments (%v)", err)
	}
}
