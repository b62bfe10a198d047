package convert_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/model/convert"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights"
)

func tiny(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := synth.Write(context.Background(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rewrite replaces a part's file by one or more shards. change returns the new
// name, type and bytes of a tensor.
func rewrite(t *testing.T, dir, part, file string, change func(name string, x []float32) (string, weights.DType, []byte), shards int) {
	t.Helper()
	path := filepath.Join(dir, part, file)
	s, err := weights.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var specs []weights.Spec
	var data [][]byte
	for _, name := range s.Names() {
		tensor, _ := s.Lookup(name)
		name, d, b := change(name, tensor.Float32s())
		specs = append(specs, weights.Spec{Name: name, DType: d, Shape: tensor.Shape})
		data = append(data, b)
	}
	if err := errors.Join(s.Close(), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	write := func(name string, from, to int) {
		err := weights.WriteFile(filepath.Join(dir, part, name), func(w io.Writer) error {
			return weights.WriteSafetensors(w, specs[from:to], func(i int, w io.Writer) error {
				_, err := w.Write(data[from+i])
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if shards == 1 {
		write(file, 0, len(specs))
		return
	}
	half := len(specs) / 2
	write("a.safetensors", 0, half)
	write("b.safetensors", half, len(specs))
	var index strings.Builder
	for i, s := range specs {
		index.WriteString(map[bool]string{true: `{"weight_map":{`, false: ","}[i == 0] + `"` + s.Name + `":"` + map[bool]string{true: "a", false: "b"}[i < half] + `.safetensors"`)
	}
	if err := os.WriteFile(path+".index.json", []byte(index.String()+"}}"), 0o666); err != nil {
		t.Fatal(err)
	}
}

func f32(name string, x []float32) (string, weights.DType, []byte) {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return name, weights.F32, b
}

func oldNames(name string, x []float32) (string, weights.DType, []byte) {
	return f32(strings.NewReplacer(".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.").Replace(name), x)
}

// old returns a model as the hub had it years ago: float32, shards, old names.
func old(t *testing.T) string {
	dir := tiny(t)
	rewrite(t, dir, "unet", "diffusion_pytorch_model.safetensors", f32, 2)
	rewrite(t, dir, "vae", "diffusion_pytorch_model.safetensors", oldNames, 1)
	rewrite(t, dir, "text_encoder", "model.safetensors", f32, 1)
	rewrite(t, dir, "image_encoder", "model.safetensors", f32, 1)
	rewrite(t, dir, "image_normalizer", "diffusion_pytorch_model.safetensors", f32, 1)
	return dir
}

func picture() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 80, 60))
	for y := range 60 {
		for x := range 80 {
			img.Set(x, y, color.RGBA{uint8(3 * x), uint8(4 * y), uint8(x * y), 255})
		}
	}
	return img
}

func encode(t *testing.T, dir string) []byte {
	t.Helper()
	c, err := codec.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	data, err := c.Encode(t.Context(), picture(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, dir string, data []byte, exact bool) []byte {
	t.Helper()
	c, err := codec.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	img, err := c.Decode(t.Context(), data, &codec.DecodeOptions{Sampling: &codec.Sampling{Steps: 1, Guidance: 12, Strength: 0.88}, Exact: exact, Size: 32})
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.RGBA).Pix
}

// TestConvert: the law's values are float16s, so a folder of float32 converts
// back to the same bytes and encodes to the same file.
func TestConvert(t *testing.T) {
	first, from := tiny(t), old(t)
	out := filepath.Join(t.TempDir(), "out")
	last := int64(0)
	report, err := convert.Folder(t.Context(), from, out, convert.Options{Progress: func(done, total int64) {
		if done < last || done > total {
			t.Errorf("%d of %d bytes after %d", done, total, last)
		}
		last = done
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Dropped)+len(report.Beyond) != 0 || len(report.Parts) != 5 {
		t.Errorf("%+v", report)
	}
	for _, name := range []string{"image_encoder/model.safetensors", "text_encoder/model.safetensors", "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"} {
		a, errA := os.ReadFile(filepath.Join(first, name))
		b, errB := os.ReadFile(filepath.Join(out, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: other bytes (%v, %v)", name, errA, errB)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(out, "unet", "*")); len(names) != 2 {
		t.Errorf("unet has %v", names)
	}
	if !bytes.Equal(encode(t, first), encode(t, out)) {
		t.Error("other bits")
	}
}

// TestConstantContext: without the text tower the pictures are the same, at
// both precisions.
func TestConstantContext(t *testing.T) {
	first := tiny(t)
	data := encode(t, first)
	for _, o := range []convert.Options{{ConstantContext: true}, {DecoderOnly: true}} {
		out := filepath.Join(t.TempDir(), "out")
		if _, err := convert.Folder(t.Context(), first, out, o); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(out, "text_encoder")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the text encoder is there (%v)", err)
		}
		for _, exact := range []bool{true, false} {
			if !bytes.Equal(decode(t, first, data, exact), decode(t, out, data, exact)) {
				t.Errorf("%+v, exact %v: another picture", o, exact)
			}
		}
		again := filepath.Join(t.TempDir(), "again") // of a folder without the tower
		if _, err := convert.Folder(t.Context(), out, again, o); err != nil {
			t.Error(err)
		}
	}
}

// TestHalves: neither half opens what it does not need, because it is missing.
func TestHalves(t *testing.T) {
	first := tiny(t)
	dir := t.TempDir()
	enc, dec := filepath.Join(dir, "enc"), filepath.Join(dir, "dec")
	if _, err := convert.Folder(t.Context(), first, enc, convert.Options{EncoderOnly: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := convert.Folder(t.Context(), first, dec, convert.Options{DecoderOnly: true}); err != nil {
		t.Fatal(err)
	}
	for half, want := range map[string][]string{
		enc: {"feature_extractor", "image_encoder", "image_normalizer", "model_index.json"},
		dec: {"image_noising_scheduler", "image_normalizer", "model_index.json", "prompt_embeds", "scheduler", "unet", "vae"},
	} {
		entries, _ := os.ReadDir(half)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s has %v, not %v", filepath.Base(half), names, want)
		}
	}
	data := encode(t, enc)
	if !bytes.Equal(data, encode(t, first)) {
		t.Error("the encoder alone gives other bits")
	}
	if !bytes.Equal(decode(t, dec, data, true), decode(t, first, data, true)) {
		t.Error("the decoder alone gives another picture")
	}
	c, err := codec.Open(enc)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Decode(t.Context(), data, nil); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("an encoder decodes: %v", err)
	}
}

// TestRange: values that float16 cannot hold are reported for every tensor, and
// never become infinite.
func TestRange(t *testing.T) {
	dir := tiny(t)
	set := map[string]float32{"conv_in.bias": 70000, "conv_out.bias": -65520, "time_embedding.linear_1.bias": 65519}
	rewrite(t, dir, "unet", "diffusion_pytorch_model.safetensors", func(name string, x []float32) (string, weights.DType, []byte) {
		if v, ok := set[name]; ok {
			x[1] = v
		}
		return f32(name, x)
	}, 1)
	out := filepath.Join(t.TempDir(), "out")
	_, err := convert.Folder(t.Context(), dir, out, convert.Options{})
	var beyond *convert.RangeError
	if !errors.As(err, &beyond) || len(beyond.Tensors) != 2 || beyond.Tensors[0].Tensor != "conv_in.bias" || beyond.Tensors[0].Largest != 70000 || beyond.Tensors[1].Count != 1 {
		t.Errorf("error %v", err)
	}
	if rest, _ := os.ReadDir(filepath.Dir(out)); len(rest) != 0 {
		t.Errorf("left behind: %v", rest)
	}
	report, err := convert.Folder(t.Context(), dir, out, convert.Options{Clamp: true})
	if err != nil || len(report.Beyond) != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	s, err := weights.OpenFile(filepath.Join(out, "unet", "diffusion_pytorch_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, want := range map[string]float32{"conv_in.bias": 65504, "conv_out.bias": -65504, "time_embedding.linear_1.bias": 65504} {
		if tensor, _ := s.Lookup(name); tensor.Float32s()[1] != want {
			t.Errorf("%s became %g", name, tensor.Float32s()[1])
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	dir := tiny(t)
	if _, err := convert.Folder(t.Context(), dir, dir, convert.Options{}); err == nil {
		t.Error("a folder is converted onto itself")
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := convert.Folder(t.Context(), dir, out, convert.Options{EncoderOnly: true, DecoderOnly: true}); err == nil {
		t.Error("nothing is left, and it is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := convert.Folder(ctx, dir, out, convert.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	rewrite(t, dir, "vae", "diffusion_pytorch_model.safetensors", func(name string, x []float32) (string, weights.DType, []byte) {
		x[0] = float32(math.NaN())
		return f32(name, x)
	}, 1)
	if _, err := convert.Folder(t.Context(), dir, out, convert.Options{}); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("error %v", err)
	}
	if rest, _ := os.ReadDir(filepath.Dir(out)); len(rest) != 0 {
		t.Errorf("left behind: %v", rest)
	}
}

// TestIndex: the index of the new folder lists only parts that are in it, so
// that diffusers does not look for others.
func TestIndex(t *testing.T) {
	dir := tiny(t)
	const file = "model_index.json"
	index := `{"_class_name":"StableUnCLIPPipeline","_diffusers_version":"0.14","image_encoder":["transformers","CLIPVisionModelWithProjection"],` +
		`"prior":["diffusers","PriorTransformer"],"unet":["diffusers","UNet2DConditionModel"],"vae":[null,null],"x":[1,2]}`
	if err := os.WriteFile(filepath.Join(dir, file), []byte(index), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := convert.Folder(t.Context(), dir, out, convert.Options{EncoderOnly: true}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(out, file))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"_class_name":"StableUnCLIPPipeline","_diffusers_version":"0.14","image_encoder":["transformers","CLIPVisionModelWithProjection"],` +
		`"prior":[null,null],"unet":[null,null],"vae":[null,null],"x":[1,2]}`
	var got bytes.Buffer
	if err := json.Compact(&got, data); err != nil || got.String() != want {
		t.Errorf("%s (%v)", got.String(), err)
	}
}
