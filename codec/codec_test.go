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
	"github.com/coclico/coclico/internal/hook"
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

// A change puts other text into a file.
type change struct{ file, old, new string }

// altered returns the codec of the tiny model with changed configurations.
func altered(t *testing.T, changes ...change) *Codec {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("model", "synth", "configs", "tiny"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		path := filepath.Join(dir, filepath.FromSlash(c.file))
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte(c.old)) {
			t.Fatalf("%s: no %s (%v)", c.file, c.old, err)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(data, []byte(c.old), []byte(c.new)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := weights.SyntheticFolder(os.DirFS(dir), "altered", 1)
	if err != nil {
		t.Fatal(err)
	}
	c := New(folder)
	t.Cleanup(func() { c.Close() })
	return c
}

// sampling returns the paper's sampling with another number of steps.
func sampling(steps int) *Sampling {
	s := DefaultSampling(Paper)
	s.Steps = steps
	return &s
}

// quick returns options for a decode that takes a fraction of the paper's time.
func quick() *DecodeOptions { return &DecodeOptions{Sampling: sampling(3), Size: 32} }

// rawFile returns a file of zero bits for the tiny model.
func rawFile(t testing.TB) *File {
	t.Helper()
	f, err := ParseRaw(make([]byte, 28), Format{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestZeroOptions: nil, zero values and the paper's parameters are one thing.
func TestZeroOptions(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(90, 60)
	data, err := c.Encode(t.Context(), img, nil)
	if err != nil {
		t.Fatal(err)
	}
	same, err := c.Encode(t.Context(), img, &EncodeOptions{Format: Format{DimensionBits: 1, MapSize: 8, ColorBits: 2}, Sampling: sampling(20)})
	if err != nil || !bytes.Equal(data, same) {
		t.Errorf("the paper's parameters give other bytes (%v)", err)
	}
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Sampling(); s != DefaultSampling(Paper) || s != (Sampling{20, 12, 0.88, 0, 0}) {
		t.Errorf("the default sampling is %+v", s)
	}
	if !bytes.Equal(decodePix(t, c, data, nil), decodePix(t, c, data, &DecodeOptions{Sampling: sampling(20)})) {
		t.Error("the paper's parameters paint another picture")
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
		"steps":       func(o *DecodeOptions) { o.Sampling.Steps = 5 },
		"guidance":    func(o *DecodeOptions) { o.Sampling.Guidance = 1 },
		"no guidance": func(o *DecodeOptions) { o.Sampling.Guidance = 0 },
		"strength":    func(o *DecodeOptions) { o.Sampling.Strength = 0.4 },
		"no strength": func(o *DecodeOptions) { o.Sampling.Strength = 0 },
		"seed":        func(o *DecodeOptions) { o.Sampling.Seed = 1 },
		"color":       func(o *DecodeOptions) { o.Sampling.ColorGuidance = 0.3 },
		"level":       func(o *DecodeOptions) { o.NoiseLevel = 500 },
	} {
		o := quick()
		change(o)
		if bytes.Equal(base, decodePix(t, c, data, o)) {
			t.Errorf("%s makes no difference", name)
		}
	}
	noise := hook.With(t.Context(), hook.Hook{Noise: make([]float32, 4*4*4)})
	if img, err := c.Decode(noise, data, quick()); err != nil || bytes.Equal(base, img.(*image.RGBA).Pix) {
		t.Errorf("noise makes no difference (%v)", err)
	}
	o := quick()
	o.Size = 48
	if n := len(decodePix(t, c, data, o)); n != 48*48*4 {
		t.Errorf("size 48 gives %d bytes of pixels", n)
	}
}

// TestExact: an exact picture differs from a fast one by rounding, if at all.
func TestExact(t *testing.T) {
	c := open(t, "tiny")
	fast, exact := quick(), quick()
	fast.Sampling.Guidance, exact.Sampling.Guidance = 1, 1 // more would enlarge the differences of rounding
	exact.Exact = true
	want := paintPix(t, c, rawFile(t), exact)
	if !bytes.Equal(want, paintPix(t, c, rawFile(t), exact)) {
		t.Error("the same exact call paints another picture")
	}
	sum := 0.0
	for i, v := range paintPix(t, c, rawFile(t), fast) {
		sum += math.Abs(float64(v) - float64(want[i]))
	}
	if mean := sum / float64(len(want)); mean > 6 {
		t.Errorf("fast and exact values differ by %.1f of 255 on average", mean)
	}
}

func paintPix(t *testing.T, c *Codec, f *File, o *DecodeOptions) []byte {
	t.Helper()
	img, err := c.Paint(t.Context(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.RGBA).Pix
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
	f := rawFile(t)
	var first []byte
	for _, n := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(n)
		pix := paintPix(t, c, f, quick())
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
	f := rawFile(t)
	for _, change := range []func(*DecodeOptions){
		func(o *DecodeOptions) { o.Sampling.Steps = -1 },
		func(o *DecodeOptions) { o.Sampling.Steps = 0 },
		func(o *DecodeOptions) { o.Sampling.Steps = 1001 },
		func(o *DecodeOptions) { o.Sampling.Guidance = -2 },
		func(o *DecodeOptions) { o.Sampling.Guidance = math.NaN() },
		func(o *DecodeOptions) { o.Sampling.Guidance = math.Inf(1) },
		func(o *DecodeOptions) { o.Sampling.Guidance = 1e30 },
		func(o *DecodeOptions) { o.Sampling.Strength = 1.01 },
		func(o *DecodeOptions) { o.Sampling.Strength = -0.5 },
		func(o *DecodeOptions) { o.Sampling.Strength = math.NaN() },
		func(o *DecodeOptions) { o.Sampling.ColorGuidance = -0.1 },
		func(o *DecodeOptions) { o.Sampling.ColorGuidance = 1.5 },
		func(o *DecodeOptions) { o.Sampling.ColorGuidance = math.NaN() },
		func(o *DecodeOptions) { o.Size = 12 },
		func(o *DecodeOptions) { o.Size = -8 },
		func(o *DecodeOptions) { o.Size = 8192 },
		func(o *DecodeOptions) { o.NoiseLevel = -1 },
		func(o *DecodeOptions) { o.NoiseLevel = 1000 },
	} {
		var want OptionError
		o := DecodeOptions{Sampling: sampling(3)}
		change(&o)
		if _, err := c.Paint(t.Context(), f, &o); !errors.As(err, &want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v of %+v: error %v, want an OptionError of one line", o, *o.Sampling, err)
		}
	}
	var option OptionError
	noise := hook.With(t.Context(), hook.Hook{Noise: make([]float32, 7)})
	if _, err := c.Paint(noise, f, nil); !errors.As(err, &option) {
		t.Errorf("7 values of noise: error %v", err)
	}
	for _, f := range []Format{{MapSize: 5}, {DimensionBits: 17}, {ColorBits: -1}} {
		if _, err := ParseRaw(make([]byte, 28), f); !errors.As(err, &option) {
			t.Errorf("%+v: error %v, want an OptionError", f, err)
		}
	}
	var format FormatError
	for _, n := range []int{0, 1, 27, 29, 120} {
		if _, err := c.Decode(t.Context(), make([]byte, n), nil); !errors.As(err, &format) {
			t.Errorf("%d bytes: error %v, want a FormatError", n, err)
		}
		raw, err := ParseRaw(make([]byte, n), Format{})
		if err == nil { // of another number of dimensions
			_, err = c.Paint(t.Context(), raw, nil)
		}
		if !errors.As(err, &format) {
			t.Errorf("%d raw bytes: error %v, want a FormatError", n, err)
		}
	}
	if _, err := c.Encode(t.Context(), testPicture(8, 8), &EncodeOptions{Format: Format{ColorBits: 9}}); !errors.As(err, &option) {
		t.Errorf("9 color bits: error %v", err)
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
	for _, stage := range []Stage{StagePrompt, StageColor, StageDenoise, StagePicture} {
		ctx, cancel := context.WithCancel(t.Context())
		var last Stage
		o := quick()
		o.Progress = func(p Progress) {
			if last = p.Stage; last == stage {
				cancel()
			}
		}
		if _, err := c.Paint(ctx, rawFile(t), o); !errors.Is(err, context.Canceled) || last != stage {
			t.Errorf("%s: error %v in %s", stage, err, last)
		}
		cancel()
	}
}

// TestReleased: a painting that is stopped within its steps leaves the UNet's memory.
func TestReleased(t *testing.T) {
	c := open(t, "tiny")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	held := 0
	var p *painter
	o := quick()
	o.Sampling.Steps = 4
	o.Progress = func(at Progress) {
		if at.Stage == StageDenoise && at.Step == 1 {
			held = p.ws.Size()
			cancel()
		}
	}
	var err error
	if p, err = c.newPainter(ctx, rawFile(t), o); err != nil {
		t.Fatal(err)
	}
	defer p.ws.Close()
	if _, err := p.paint(ctx); !errors.Is(err, context.Canceled) || held == 0 || p.ws.Size() != 0 {
		t.Errorf("error %v; %d bytes held at the second step, %d at the end", err, held, p.ws.Size())
	}
}

func TestProgress(t *testing.T) {
	c := open(t, "tiny")
	var got []Progress
	o := quick()
	o.Sampling.Steps, o.Sampling.Strength = 4, 0.5
	o.Progress = func(p Progress) { got = append(got, p) }
	for range 2 {
		if _, err := c.Paint(t.Context(), rawFile(t), o); err != nil {
			t.Fatal(err)
		}
	}
	once := []Progress{{Stage: StageColor}, {Stage: StageDenoise, Step: 0, Steps: 2}, {Stage: StageDenoise, Step: 1, Steps: 2}, {Stage: StageDenoise, Step: 2, Steps: 2}, {Stage: StagePicture}}
	want := append(append([]Progress{{Stage: StagePrompt}}, once...), once...)
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
	f := rawFile(t)
	want := paintPix(t, c, f, quick())
	c.KeepNetworks = true
	for range 2 {
		if !bytes.Equal(want, paintPix(t, c, f, quick())) {
			t.Error("kept networks paint another picture")
		}
	}
}

// TestHalves: encoding needs the image encoder and the normalizer, decoding all but the former.
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
			_, err = c.Paint(t.Context(), rawFile(t), quick())
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
