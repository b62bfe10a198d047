package codec

import (
	"bytes"
	"errors"
	"flag"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec/model/synth"
)

// TestFileAndRaw: a file and raw bits of the same symbols are painted the same.
func TestFileAndRaw(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(90, 60)
	for _, f := range []Format{{}, {DimensionBits: 3, MapSize: 12, ColorBits: 4}} {
		file, err := c.Encode(t.Context(), img, &EncodeOptions{Format: f})
		if err != nil {
			t.Fatal(err)
		}
		bits, err := c.Encode(t.Context(), img, &EncodeOptions{Format: f, Raw: true})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := ParseRaw(bits, f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(decodePix(t, c, file, quick()), paintPix(t, c, raw, quick())) {
			t.Errorf("%+v: a file and raw bits are painted differently", f)
		}
	}
}

// TestFile: a parsed file knows what Encode was told, without a model.
func TestFile(t *testing.T) {
	c := open(t, "tiny")
	id, err := c.ModelID()
	if err != nil {
		t.Fatal(err)
	}
	s := Sampling{4, 7.5, 0.5, 9, 0}
	for _, o := range []EncodeOptions{
		{},
		{Whole: true, Sampling: &s, Format: Format{3, 12, 4}},
		{Profile: Tuned, VectorBits: 50, Sampling: &s},
		{Profile: Tuned, Sampling: &Sampling{20, 12, 0.88, 0, 0.45}},
		{Profile: Tuned, Format: Format{2, 4, 1}},
		{Raw: true, Format: Format{2, 16, 3}},
	} {
		data, err := c.Encode(t.Context(), testPicture(90, 60), &o)
		if err != nil {
			t.Fatal(err)
		}
		var f *File
		if o.Raw {
			f, err = ParseRaw(data, o.Format)
		} else {
			f, err = Parse(data)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := o.Format
		if p, _ := want.params(32); o.Profile == Tuned {
			want = Format{0, p.MapSize, p.ColorBits}
		} else {
			want = Format{p.DimensionBits, p.MapSize, p.ColorBits}
		}
		bits := o.VectorBits
		if bits == 0 {
			bits = 32 * max(o.DimensionBits, 1)
		}
		wantID, wantSampling := id, DefaultSampling(o.Profile)
		if o.Raw {
			wantID = 0
		}
		if o.Sampling != nil {
			wantSampling = *o.Sampling
		}
		if f.Len() != len(data) || f.Raw() != o.Raw || f.Profile() != o.Profile || f.Format() != want || f.ModelID() != wantID ||
			f.Sampling() != wantSampling || f.Dimensions() != 32 || f.VectorBits() != bits || f.Whole() != o.Whole {
			t.Errorf("%+v: read as %d bytes, raw %v, %v, %+v, model %v, %+v, %d bits of %d dimensions, whole %v", o,
				f.Len(), f.Raw(), f.Profile(), f.Format(), f.ModelID(), f.Sampling(), f.VectorBits(), f.Dimensions(), f.Whole())
		}
		n := want.MapSize
		if y, u, v := f.ColorCodes(); len(y) != n*n || len(u) != n*n/4 || len(v) != n*n/4 || f.Bits() != bits+n*n*3/2*want.ColorBits {
			t.Errorf("%+v: %d, %d and %d codes, %d bits", o, len(y), len(u), len(v), f.Bits())
		}
		if ColorScore(f, f) != 0 || f.ColorMap().Bounds() != image.Rect(0, 0, n, n) {
			t.Errorf("%+v: the color map is %v", o, f.ColorMap().Bounds())
		}
		if v, err := c.Vector(f); err != nil || len(v.Values) != 32 || len(v.Codes) != 32 {
			t.Errorf("%+v: vector %+v (%v)", o, v, err)
		}
	}
}

// TestTruncated: a file that lost its end is refused with its model.
func TestTruncated(t *testing.T) {
	c := open(t, "tiny-768")
	data, err := c.Encode(t.Context(), testPicture(90, 60), nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(data) - 2 {
		var format FormatError
		if _, err := c.Decode(t.Context(), data[:n], nil); !errors.As(err, &format) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
}

// TestSamplingInFile: Decode uses the file's sampling unless it has its own.
func TestSamplingInFile(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(64, 64)
	plain, err := c.Encode(t.Context(), img, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Sampling{{4, 7.5, 0.5, 9, 0}, {2, 0, 0, 0, 0}} {
		held, err := c.Encode(t.Context(), img, &EncodeOptions{Sampling: &s})
		if err != nil {
			t.Fatal(err)
		}
		want := decodePix(t, c, plain, &DecodeOptions{Size: 32, Sampling: &s})
		if !bytes.Equal(want, decodePix(t, c, held, &DecodeOptions{Size: 32})) {
			t.Errorf("%+v: the file's sampling is not used", s)
		}
		other := &DecodeOptions{Size: 32, Sampling: &Sampling{2, 1, 1, 0, 0}}
		if !bytes.Equal(decodePix(t, c, plain, other), decodePix(t, c, held, other)) {
			t.Errorf("%+v: the file's sampling replaces the caller's", s)
		}
	}
}

// TestOptionErrors: errors name the option, its value, and what it may be.
func TestOptionErrors(t *testing.T) {
	c := open(t, "tiny")
	sampling := func(steps int, guidance, color float64) *Sampling {
		return &Sampling{Steps: steps, Guidance: guidance, Strength: 0.88, ColorGuidance: color}
	}
	for _, k := range []struct {
		o    EncodeOptions
		want string
	}{
		{EncodeOptions{Candidates: -1}, "candidates -1: it is 1 to 64"},
		{EncodeOptions{Candidates: 65}, "candidates 65: it is 1 to 64"},
		{EncodeOptions{Format: Format{MapSize: 7}}, "color map size 7: it is an even number from 2 to 64"},
		{EncodeOptions{Format: Format{DimensionBits: 17}}, "bits of a CLIP dimension 17: it is 1 to 16"},
		{EncodeOptions{Format: Format{ColorBits: -1}}, "bits of a color sample -1: it is 1 to 8"},
		{EncodeOptions{Profile: Tuned, Format: Format{DimensionBits: 6}}, "bits of a CLIP dimension 6: the tuned profile has at most 5, the paper's 16"},
		{EncodeOptions{Profile: Tuned, VectorBits: -1}, "bits of the vector -1: at least 1 is needed"},
		{EncodeOptions{Profile: Tuned, VectorBits: 161}, "bits of the vector 161: at most 5 for each of 32 dimensions"},
		{EncodeOptions{Sampling: sampling(1025, 12, 0)}, "steps 1025: it is 1 to 1024"},
		{EncodeOptions{Sampling: sampling(20, 12.345, 0)}, "guidance 12.345: a file holds hundredths up to 655.35"},
		{EncodeOptions{Sampling: sampling(20, 655.36, 0)}, "guidance 655.36: a file holds hundredths up to 655.35"},
		{EncodeOptions{Sampling: sampling(20, 12, 0.3)}, "color guidance 0.3: a file of the paper's profile holds none"},
		// The caller has no file yet whose fault it could be.
		{EncodeOptions{Sampling: sampling(1001, 12, 0), Candidates: 2}, "steps 1001: the model has 1000"},
	} {
		if _, err := c.Encode(t.Context(), testPicture(40, 40), &k.o); !errors.As(err, new(OptionError)) || err.Error() != k.want {
			t.Errorf("error %v, want %s", err, k.want)
		}
	}
	if _, err := c.Encode(t.Context(), testPicture(40, 40), &EncodeOptions{Sampling: sampling(1024, 655.35, 0)}); err != nil {
		t.Errorf("the largest values: %v", err)
	}
}

func TestBadFileOptions(t *testing.T) {
	c := open(t, "tiny")
	for _, s := range []Sampling{
		{20, 12.345, 0.88, 0, 0}, {20, 700, 0.88, 0, 0}, {20, 12, 0.12345, 0, 0}, {20, 12, 1.5, 0, 0}, {1025, 12, 0.88, 0, 0}, {-1, 12, 0.88, 0, 0}, {},
		{20, 12, 0.88, 0, 0.3}, {20, 12, 0.88, 0, 2},
	} {
		var want OptionError
		if _, err := c.Encode(t.Context(), testPicture(8, 8), &EncodeOptions{Sampling: &s}); !errors.As(err, &want) {
			t.Errorf("%+v: error %v, want an OptionError", s, err)
		}
	}
	for _, o := range []EncodeOptions{{Raw: true, Whole: true}, {Raw: true, Sampling: &Sampling{20, 12, 0.88, 1, 0}}} {
		var want OptionError
		if _, err := c.Encode(t.Context(), testPicture(8, 8), &o); !errors.As(err, &want) {
			t.Errorf("%+v: error %v, want an OptionError", o, err)
		}
	}
}

// TestColors: color guidance and projection bring the painted colors of a tuned
// file nearer to its map.
func TestColors(t *testing.T) {
	c := builtIn(t)
	img := readPicture(t, "testdata/photos/coffee.jpg")
	data, err := c.Encode(t.Context(), img, &EncodeOptions{Profile: Tuned})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	none := f.Sampling()
	none.ColorGuidance = 0
	var scores []float64
	for _, o := range []DecodeOptions{{Sampling: &none, NoProjection: true}, {NoProjection: true}, {}} {
		painted, err := c.Paint(t.Context(), f, &o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.Encode(t.Context(), painted, &EncodeOptions{Profile: Tuned, Format: Format{ColorBits: 8}})
		if err != nil {
			t.Fatal(err)
		}
		g, err := Parse(again)
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, ColorScore(f, g))
	}
	if !(scores[1] < 0.8*scores[0] && scores[2] < 0.95*scores[1]) {
		t.Errorf("color scores to the map: %.5f without, %.5f guided, %.5f projected too", scores[0], scores[1], scores[2])
	}
}

// TestManySteps: a file may hold more steps than the model has, which is no
// wrong option.
func TestManySteps(t *testing.T) {
	c := open(t, "tiny")
	data, err := c.Encode(t.Context(), testPicture(64, 64), &EncodeOptions{Sampling: sampling(1001)})
	if err != nil {
		t.Fatal(err)
	}
	var unsupported UnsupportedError
	if _, err := c.Decode(t.Context(), data, nil); !errors.As(err, &unsupported) {
		t.Errorf("error %v, want an UnsupportedError", err)
	}
}

// TestSampleSize: an error of the model's own size names its file, and no option
// that nobody gave.
func TestSampleSize(t *testing.T) {
	dir := t.TempDir()
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "unet", "config.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string]string{
		"65536": name + ": sample_size 65536 makes pictures of size 524288: it is a multiple of 8 from 8 to 4096: choose a size",
		"0":     "size is needed: the model's unet/config.json has no sample_size",
	} {
		changed := regexp.MustCompile(`"sample_size": *[0-9]+`).ReplaceAll(text, []byte(`"sample_size": `+n))
		if err := os.WriteFile(name, changed, 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		data, err := c.Encode(t.Context(), testPicture(64, 64), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Decode(t.Context(), data, &DecodeOptions{Sampling: sampling(1)})
		if err == nil || err.Error() != want || errors.As(err, new(OptionError)) != (n == "0") {
			t.Errorf("sample_size %s: error %v, want %s", n, err, want)
		}
		if _, err := c.Decode(t.Context(), data, &DecodeOptions{Sampling: sampling(1), Size: 32}); err != nil {
			t.Errorf("sample_size %s, with a size of its own: %v", n, err)
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
		if f, err := Parse(data); err != nil || !f.Whole() {
			t.Errorf("%d x %d: not whole (%v)", s.w, s.h, err)
		}
		img, err := c.Decode(t.Context(), data, &DecodeOptions{Sampling: sampling(2), Size: 48})
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

// TestWrongModel: a file of another model is refused with both models' names,
// and painted with AnyModel.
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
	if id, _ := c.ModelID(); wrong.File != id {
		t.Errorf("the file's model is %v, want %v", wrong.File, id)
	}
	force := quick()
	force.AnyModel = true
	img, err := other.Decode(t.Context(), data, force)
	if err != nil || img.Bounds().Dx() != 32 {
		t.Errorf("AnyModel: %v", err)
	}
	large := open(t, "tiny-768")
	var unsupported UnsupportedError
	if _, err := large.Decode(t.Context(), data, force); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "CLIP dimensions") {
		t.Errorf("AnyModel with vectors of another size: %v", err)
	}
	data, err = builtIn(t).Encode(t.Context(), testPicture(64, 64), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Decode(t.Context(), data, quick()); err == nil || !strings.Contains(err.Error(), "the built-in model (") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a file of the built-in model: %v", err)
	}
}

// TestBuiltInID: the constant is the built-in model's ID.
func TestBuiltInID(t *testing.T) {
	if id, err := builtIn(t).ModelID(); err != nil || id != builtInID {
		t.Errorf("%v, %v, want %v", id, err, builtInID)
	}
}

// TestPrior: the moments of float16 and float32 weights are the same.
func TestPrior(t *testing.T) {
	dir := t.TempDir()
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	half, err := c.prior()
	if err != nil {
		t.Fatal(err)
	}
	widenAll(t, c, "image_normalizer")
	wide, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	if p, err := wide.prior(); err != nil || !reflect.DeepEqual(p, half) {
		t.Errorf("float32 weights have another prior (%v)", err)
	}
}

var update = flag.Bool("update", false, "rewrite testdata/coffee.coclico")

// TestCoffee: the file of the examples is what Encode writes today, except for
// bits of the vector that lie on a threshold.
func TestCoffee(t *testing.T) {
	const name = "testdata/coffee.coclico"
	data, err := builtIn(t).Encode(t.Context(), readPicture(t, "testdata/photos/coffee.jpg"), &EncodeOptions{Profile: Tuned})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := Parse(data)
	b, errB := Parse(want)
	if errA != nil || errB != nil || a.f.Header != b.f.Header || !reflect.DeepEqual(a.f.Map, b.f.Map) {
		t.Errorf("another header or color map (%v, %v)", errA, errB)
	}
	if _, err := builtIn(t).Vector(b); err != nil {
		t.Error(err)
	}
}
