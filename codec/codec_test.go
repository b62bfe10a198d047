package codec

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights"
)

// testPicture is a smooth picture of any shape.
func testPicture(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(128 + 100*math.Sin(float64(x+y)/9)), 255})
		}
	}
	return img
}

func open(t testing.TB, config string) *Codec {
	t.Helper()
	folder, err := synth.Folder(config, 1)
	if err != nil {
		t.Fatal(err)
	}
	c := New(folder)
	t.Cleanup(func() { c.Close() })
	return c
}

// quick are options for a decode that takes a fraction of the paper's time.
func quick() *DecodeOptions { return &DecodeOptions{Steps: 3, Size: 32} }

// raw are the same for raw bits.
func raw() *DecodeOptions { return &DecodeOptions{Raw: true, Steps: 3, Size: 32} }

// TestZeroOptions: nil, zero values and the paper's parameters are one thing.
func TestZeroOptions(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(90, 60)
	data, err := c.Encode(t.Context(), img, nil)
	if err != nil {
		t.Fatal(err)
	}
	same, err := c.Encode(t.Context(), img, &EncodeOptions{Format: Format{ClipBits: 1, MapSize: 8, ColourBits: 2}})
	if err != nil || !bytes.Equal(data, same) {
		t.Errorf("the paper's parameters give other bytes (%v)", err)
	}
	zero := DecodeOptions{}.withDefaults(paper())
	if zero.Steps != 20 || zero.Guidance != 12 || zero.Strength != 0.88 || *zero.Seed != 0 || zero.Exact || zero.Level != 0 {
		t.Errorf("zero values are %+v", zero)
	}
	none := DecodeOptions{Guidance: None, Strength: None}.withDefaults(paper())
	if none.Guidance != 0 || none.Strength != 0 {
		t.Errorf("None is %v and %v", none.Guidance, none.Strength)
	}
}

func TestDecodeOptions(t *testing.T) {
	c := open(t, "tiny")
	data, err := c.Encode(t.Context(), testPicture(64, 64), nil)
	if err != nil {
		t.Fatal(err)
	}
	base := decodePix(t, c, data, quick())
	if again := decodePix(t, c, data, quick()); !bytes.Equal(base, again) {
		t.Error("the same call gives another picture")
	}
	for name, change := range map[string]func(*DecodeOptions){
		"steps":       func(o *DecodeOptions) { o.Steps = 5 },
		"guidance":    func(o *DecodeOptions) { o.Guidance = 1 },
		"no guidance": func(o *DecodeOptions) { o.Guidance = None },
		"strength":    func(o *DecodeOptions) { o.Strength = 0.4 },
		"no strength": func(o *DecodeOptions) { o.Strength = None },
		"seed":        func(o *DecodeOptions) { o.Seed = new(uint64(1)) },
		"level":       func(o *DecodeOptions) { o.Level = 500 },
		"noise":       func(o *DecodeOptions) { o.Noise = make([]float32, 4*4*4) },
		"exact":       nil, // where bfloat16 is not faster there is no difference
	} {
		o := quick()
		if change == nil {
			o.Exact = true
			decodePix(t, c, data, o)
			continue
		}
		change(o)
		if bytes.Equal(base, decodePix(t, c, data, o)) {
			t.Errorf("%s makes no difference", name)
		}
	}
	o := quick()
	o.Size = 48
	if n := len(decodePix(t, c, data, o)); n != 48*48*4 {
		t.Errorf("size 48 gives %d bytes of pixels", n)
	}
}

func decodePix(t *testing.T, c *Codec, data []byte, o *DecodeOptions) []byte {
	t.Helper()
	img, err := c.Decode(t.Context(), data, o)
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.RGBA).Pix
}

func TestProcessors(t *testing.T) {
	c := open(t, "tiny")
	data := make([]byte, 28)
	var first []byte
	for _, n := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(n)
		pix := decodePix(t, c, data, raw())
		runtime.GOMAXPROCS(old)
		if first == nil {
			first = pix
		}
		if !bytes.Equal(first, pix) {
			t.Errorf("%d processors give another picture", n)
		}
	}
}

func TestBadCalls(t *testing.T) {
	c := open(t, "tiny")
	data := make([]byte, 28)
	for _, o := range []DecodeOptions{
		{Steps: -1}, {Steps: 1001}, {Guidance: -2}, {Guidance: math.NaN()}, {Guidance: math.Inf(1)}, {Guidance: 1e30},
		{Strength: 1.01}, {Strength: -0.5}, {Strength: math.NaN()}, {Size: 12}, {Size: -8}, {Size: 8192},
		{Level: -1}, {Level: 1000}, {Noise: make([]float32, 7)}, {Format: Format{MapSize: 5}}, {Format: Format{ClipBits: 17}},
	} {
		var want OptionError
		o.Raw = true
		if _, err := c.Decode(t.Context(), data, &o); !errors.As(err, &want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want an OptionError of one line", o, err)
		}
	}
	var format FormatError
	for _, n := range []int{0, 1, 27, 29, 120} {
		for _, o := range []*DecodeOptions{nil, {Raw: true}} {
			if _, err := c.Decode(t.Context(), make([]byte, n), o); !errors.As(err, &format) {
				t.Errorf("%d bytes: error %v, want a FormatError", n, err)
			}
		}
	}
	var option OptionError
	if _, err := c.Encode(t.Context(), testPicture(8, 8), &EncodeOptions{Format: Format{ColourBits: 9}}); !errors.As(err, &option) {
		t.Errorf("9 colour bits: error %v", err)
	}
	var unsupported UnsupportedError
	if _, err := c.Encode(t.Context(), image.NewGray(image.Rect(3, 3, 3, 9)), nil); !errors.As(err, &unsupported) {
		t.Errorf("no pixels: error %v", err)
	}
}

func TestContext(t *testing.T) {
	c := open(t, "tiny")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Encode(ended, testPicture(8, 8), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Encode: error %v", err)
	}
	for _, stage := range []Stage{StagePrompt, StageColour, StageDenoise, StagePicture} {
		ctx, cancel := context.WithCancel(t.Context())
		var last Stage
		o := raw()
		o.Progress = func(p Progress) {
			if last = p.Stage; last == stage {
				cancel()
			}
		}
		if _, err := c.Decode(ctx, make([]byte, 28), o); !errors.Is(err, context.Canceled) || last != stage {
			t.Errorf("%s: error %v in %s", stage, err, last)
		}
		cancel()
	}
}

func TestProgress(t *testing.T) {
	c := open(t, "tiny")
	var got []Progress
	o := raw()
	o.Steps, o.Strength = 4, 0.5
	o.Progress = func(p Progress) { got = append(got, p) }
	for range 2 {
		if _, err := c.Decode(t.Context(), make([]byte, 28), o); err != nil {
			t.Fatal(err)
		}
	}
	once := []Progress{{StageColour, 0, 0}, {StageDenoise, 0, 2}, {StageDenoise, 1, 2}, {StageDenoise, 2, 2}, {StagePicture, 0, 0}}
	want := append(append([]Progress{{StagePrompt, 0, 0}}, once...), once...)
	if !slices.Equal(got, want) {
		t.Errorf("progress is %v, want %v", got, want)
	}
}

func TestConcurrent(t *testing.T) {
	c := open(t, "tiny")
	pictures, pixels := make([][]byte, 4), make([][]byte, 4)
	var wg sync.WaitGroup
	for i := range pictures {
		wg.Go(func() {
			var err error
			if pictures[i], err = c.Encode(context.Background(), testPicture(50, 50), nil); err != nil {
				t.Error(err)
				return
			}
			img, err := c.Decode(context.Background(), pictures[i], quick())
			if err != nil {
				t.Error(err)
				return
			}
			pixels[i] = img.(*image.RGBA).Pix
		})
	}
	wg.Wait()
	for i := range pictures {
		if !bytes.Equal(pictures[0], pictures[i]) || !bytes.Equal(pixels[0], pixels[i]) {
			t.Error("concurrent calls differ")
		}
	}
}

func TestKeepNetworks(t *testing.T) {
	c := open(t, "tiny")
	data := make([]byte, 28)
	want := decodePix(t, c, data, raw())
	c.KeepNetworks = true
	for range 2 {
		if !bytes.Equal(want, decodePix(t, c, data, raw())) {
			t.Error("kept networks paint another picture")
		}
	}
}

// TestHalves: encoding needs the image encoder and the normaliser, decoding all but the former.
func TestHalves(t *testing.T) {
	dir := t.TempDir()
	if err := synth.Write(context.Background(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	whole, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	data, err := whole.Encode(t.Context(), testPicture(40, 40), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, encoder := range []bool{true, false} {
		half := t.TempDir()
		for _, part := range []string{"image_encoder", "feature_extractor", "image_normalizer", "image_noising_scheduler", "scheduler", "text_encoder", "unet", "vae"} {
			if (part == "image_encoder" || part == "feature_extractor") == encoder || part == "image_normalizer" {
				if err := os.Symlink(filepath.Join(dir, part), filepath.Join(half, part)); err != nil {
					t.Skip(err)
				}
			}
		}
		c, err := Open(half)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		got, encodeErr := c.Encode(t.Context(), testPicture(40, 40), nil)
		_, decodeErr := c.Decode(t.Context(), data, quick())
		if encoder && (encodeErr != nil || !bytes.Equal(got, data) || decodeErr == nil) {
			t.Errorf("a folder for encoding: Encode %v, Decode %v", encodeErr, decodeErr)
		}
		if !encoder && (decodeErr != nil || encodeErr == nil) {
			t.Errorf("a folder for decoding: Encode %v, Decode %v", encodeErr, decodeErr)
		}
	}
}

// TestOverflow: weights that are finite and a result that is not.
func TestOverflow(t *testing.T) {
	for part, name := range map[string]string{
		"image_encoder": "visual_projection.weight",
		"text_encoder":  "text_model.final_layer_norm.weight",
		"unet":          "conv_out.weight",
		"vae":           "quant_conv.weight",
	} {
		dir := t.TempDir()
		if err := synth.Write(context.Background(), dir, "tiny", 1, nil); err != nil {
			t.Fatal(err)
		}
		widen(t, dir, part, name)
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if part == "image_encoder" {
			_, err = c.Encode(t.Context(), testPicture(40, 40), nil)
		} else {
			_, err = c.Decode(t.Context(), make([]byte, 28), raw())
		}
		if err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, part)+": ") {
			t.Errorf("%s: error %v", part, err)
		}
	}
}

// widen makes a float32 tensor of a part's float16 one, with values that
// overflow in products.
func widen(t *testing.T, dir, part, name string) {
	t.Helper()
	folder, err := weights.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	store, err := folder.Part(weights.Part(part))
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, store, func(tensor weights.Tensor) []float32 {
		if tensor.Name != name {
			return nil
		}
		return slices.Repeat([]float32{3e38}, tensor.Len())
	})
}
