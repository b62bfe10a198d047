package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// edit changes a file.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o666); err != nil {
		t.Fatal(err)
	}
}

// replace returns a change of the first occurrence of old, which must exist.
func replace(t *testing.T, old, new string) func([]byte) []byte {
	return func(b []byte) []byte {
		t.Helper()
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("no %q in the file", old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
}

const (
	visionFile = "image_encoder/model.safetensors"
	unetFile   = "unet/diffusion_pytorch_model.safetensors"
	vaeFile    = "vae/diffusion_pytorch_model.safetensors"
)

// TestBadModels: whatever is wrong with a model folder, one line names the file.
func TestBadModels(t *testing.T) {
	stream := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", stream, "--model", tinyModel(t))
	for _, c := range []struct {
		name, file string
		change     func([]byte) []byte
		says       string
	}{
		{"missing tensor", unetFile, replace(t, `"conv_in.weight"`, `"conv_in.weighs"`), "1 missing (conv_in.weight)"},
		{"missing tensor, vision", visionFile, replace(t, `"visual_projection.weight"`, `"visual_projection.weighs"`), "visual_projection.weight"},
		{"wrong shape", unetFile, replace(t, `[32,4,3,3]`, `[4,32,3,3]`), "conv_in.weight is [4 32 3 3]"},
		{"a config of another shape", "unet/config.json", replace(t, `"in_channels": 4`, `"in_channels": 8`), "latent_channels 4"},
		{"a lying header's length", unetFile, func(b []byte) []byte { binary.LittleEndian.PutUint64(b, 1<<62); return b }, "not a safetensors file"},
		{"a lying offset", vaeFile, replace(t, `"data_offsets":[0,`, `"data_offsets":[8,`), "header"},
		{"cut short", unetFile, func(b []byte) []byte { return b[:len(b)-2] }, ""},
		{"empty", unetFile, func([]byte) []byte { return nil }, "is empty"},
		{"NaN weights", unetFile, func(b []byte) []byte { b[len(b)-1], b[len(b)-2] = 0x7e, 0; return b }, "NaN"},
		{"infinite weights, vision", visionFile, func(b []byte) []byte { b[len(b)-1], b[len(b)-2] = 0x7c, 0; return b }, "infinity"},
		{"unknown activation", "image_encoder/config.json", replace(t, "quick_gelu", "snake"), "hidden_act"},
		{"unknown activation, text", "text_encoder/config.json", replace(t, `"gelu"`, `"gelu_tanh"`), "hidden_act"},
		{"unknown activation, UNet", "unet/config.json", replace(t, `"silu"`, `"mish"`), "act_fn"},
		{"no heads", "unet/config.json", replace(t, `"attention_head_dim": [`, `"attention_head_dim": [0,`), "attention_head_dim"},
		{"no JSON", "unet/config.json", func(b []byte) []byte { return b[:len(b)/2] }, "config.json"},
		{"unknown schedule", "scheduler/scheduler_config.json", replace(t, "scaled_linear", "spiral"), "beta_schedule"},
		{"unknown noising", "image_noising_scheduler/scheduler_config.json", replace(t, "squaredcos_cap_v2", "spiral"), "beta_schedule"},
		{"bad normalizer", "image_normalizer/config.json", replace(t, "32", "-32"), "embedding_dim"},
		{"a normalizer of words", "image_normalizer/config.json", replace(t, "32", `"many"`), "config.json: embedding_dim is a string"},
		{"a huge normalizer", "image_normalizer/config.json", replace(t, "32", "320000000000"), "embedding_dim"},
		{"another preprocessing", "feature_extractor/preprocessor_config.json", replace(t, `"resample": 3`, `"resample": 2`), "resample"},
		{"another crop", "feature_extractor/preprocessor_config.json", replace(t, `"height": 56`, `"height": 48`), "preprocessor_config.json"},
		{"another pipeline", "model_index.json", replace(t, "StableUnCLIPImg2ImgPipeline", "StableDiffusionXLPipeline"), "StableDiffusionXLPipeline"},
		{"a misfit", "unet/config.json", replace(t, `"projection_class_embeddings_input_dim": 64`, `"projection_class_embeddings_input_dim": 66`), "embedding_dim"},
	} {
		t.Run(c.name, func(t *testing.T) {
			model, out := tinyModel(t), t.TempDir()
			edit(t, filepath.Join(model, c.file), c.change)
			args := []string{"decode", stream, "-o", filepath.Join(out, "a.png"), "--steps", "1", "--model", model}
			if dir := filepath.Dir(c.file); dir == "image_encoder" || dir == "feature_extractor" {
				args = []string{"encode", photo, "-o", filepath.Join(out, "a.coclico"), "--model", model}
			}
			fail(t, process.Failed, []string{"coclico: " + filepath.Join(model, c.file) + ": ", c.says}, args...)
			onlyFiles(t, out)
		})
	}
}

func TestMissingParts(t *testing.T) {
	stream := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", stream, "--model", tinyModel(t))
	for _, part := range []string{"unet", "vae", "text_encoder", "scheduler", "image_normalizer", "image_noising_scheduler"} {
		model, out := tinyModel(t), t.TempDir()
		if err := os.RemoveAll(filepath.Join(model, part)); err != nil {
			t.Fatal(err)
		}
		fail(t, process.Failed, []string{model, part}, "decode", stream, "-o", filepath.Join(out, "a.png"), "--steps", "1", "--model", model)
		onlyFiles(t, out)
	}
	empty := t.TempDir()
	fail(t, process.Failed, []string{empty, "model_index.json"}, "encode", photo, "-o", filepath.Join(t.TempDir(), "a"), "--model", empty)
	fail(t, process.Failed, []string{photo, "folder"}, "encode", photo, "-o", filepath.Join(t.TempDir(), "a"), "--model", photo)
}

// TestBadStreams: bytes that are not a stream. Flipped bits are another picture:
// raw bits have no redundancy except their length.
func TestBadStreams(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.coclico")
	picture := filepath.Join(dir, "a.png")
	for _, n := range []int{0, 1, 119, 121, 5000, 3 << 20} {
		if err := os.WriteFile(file, make([]byte, n), 0o666); err != nil {
			t.Fatal(err)
		}
		fail(t, process.Failed, []string{file, "invalid file"}, "decode", file, "-o", picture)
		says := "CLIP dimensions; the model has 768"
		if n < 25 || n == 3<<20 { // no number of dimensions makes so few, or so many
			says = "do not fit"
		}
		fail(t, process.Failed, []string{file, "invalid file", says}, "decode", file, "-o", picture, "--raw")
		onlyFiles(t, dir, "a.coclico")
	}
	if err := os.WriteFile(file, []byte("short"), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{file, "not a .coclico file", "--raw"}, "info", file)
	fail(t, process.Failed, []string{file, "5 raw bytes"}, "info", file, "--raw")
	fail(t, process.Failed, []string{"no such file"}, "info", filepath.Join(dir, "nothing"))
	fail(t, process.Failed, []string{photo, "a picture, not a .coclico file", "coclico encode"}, "decode", photo, "-o", picture)
	fail(t, process.Usage, []string{picture, "folder"}, "decode", dir, "-o", picture)

	// Any bits of the right length describe a picture.
	if err := os.WriteFile(file, bytes.Repeat([]byte{0xff}, 120), 0o666); err != nil {
		t.Fatal(err)
	}
	succeed(t, "decode", file, "-o", picture, "--steps", "1", "--size", "8", "--raw")
}

// TestEndlessInput: a pipe is read as far as it may be of use and no further.
func TestEndlessInput(t *testing.T) {
	long := "more than 1048576 bytes"
	for _, c := range []struct {
		args []string
		most int
		says string
	}{
		{[]string{"decode", "-", "-o", filepath.Join(t.TempDir(), "a.png")}, 1<<20 + 1, long},
		{[]string{"decode", "-", "-o", filepath.Join(t.TempDir(), "a.png"), "--raw"}, 1<<20 + 1, long},
		{[]string{"info", "-"}, 2 << 20, "not a .coclico file"},
		{[]string{"encode", "-", "-o", filepath.Join(t.TempDir(), "a.coclico")}, 1 << 20, "not a picture"},
	} {
		var stderr bytes.Buffer
		in := new(endless)
		status := run(t.Context(), c.args, in, io.Discard, &stderr)
		if got := stderr.String(); status != process.Failed || !strings.HasPrefix(got, "coclico: standard input: ") || !strings.Contains(got, c.says) || strings.Count(got, "\n") != 1 {
			t.Errorf("%v: status %d, %s", c.args, status, got)
		}
		if in.read > c.most {
			t.Errorf("%v: %d bytes were read, at most %d are of use", c.args, in.read, c.most)
		}
	}
}

// An endless is an endless stream of zeros.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.read += len(p)
	return len(p), nil
}

// pngHeader returns the start of a gray PNG of that size.
func pngHeader(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestBadPictures(t *testing.T) {
	whole, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"text.jpg", []byte("a text file for a picture\n"), "not a picture"},
		{"empty.png", nil, "is empty"},
		{"nopixels.png", pngHeader(0, 9), "PNG"},
		{"vast.png", pngHeader(40_000, 25_000), "at most 268435456 pixels"},
		{"short.jpg", whole[:len(whole)/4], "cut short"},
		{"header.png", pngHeader(9, 9), "cut short"},
	} {
		in, out := t.TempDir(), t.TempDir()
		path := filepath.Join(in, c.name)
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		fail(t, process.Failed, []string{path, c.says}, "encode", path, "-o", filepath.Join(out, "a.coclico"))
		onlyFiles(t, out)
	}
	fail(t, process.Failed, []string{"nothing.png: no such file"}, "encode", "nothing.png", "-o", filepath.Join(t.TempDir(), "a"))
	fail(t, process.Failed, []string{"no pictures"}, "encode", t.TempDir(), "-o", filepath.Join(t.TempDir(), "a"))
}

// TestUnwritable: an output that cannot be written is reported before anything
// else is read.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	nowhere := filepath.Join(dir, "no", "folder.png")
	fail(t, process.Failed, []string{nowhere}, "decode", "nothing", "-o", nowhere, "--model", "nothing")
	fail(t, process.Failed, []string{nowhere}, "encode", "nothing", "-o", nowhere, "--model", "nothing")
	fail(t, process.Failed, []string{"nothing: no such file"}, "decode", "nothing", "-o", dir)
	onlyFiles(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{filepath.Join(dir, "file")}, "encode", photo, "-o", filepath.Join(dir, "file", "a"))
	fail(t, process.Failed, []string{filepath.Join(dir, "file")}, "synth", filepath.Join(dir, "file"))
	if runtime.GOOS == "linux" {
		fail(t, process.Failed, []string{"/dev/full", "no space"}, "encode", photo, "-o", "/dev/full")
	}
}

// TestFullOutput: output that cannot be printed is a failure of any command.
func TestFullOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", file)
	for _, args := range [][]string{
		{"info", file}, {"info", file, "--json"}, {"info", "--machine"}, {"version"}, {"--help"},
		{"encode", photo, "-o", "-"}, {"verify", "../../solver/testdata/randn.safetensors"},
	} {
		var stderr bytes.Buffer
		status := run(t.Context(), args, nil, fullWriter{}, &stderr)
		if status != process.Failed || stderr.String() != "coclico: no space left\n" {
			t.Errorf("coclico %v: status %d, stderr %q", args, status, stderr.String())
		}
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"frobnicate"}, {"encode"}, {"encode", photo}, {"encode", photo, photo, "-o", "x.coclico"}, {"encode", photo, "-", "-o", "x/"}, {"encode", photo, photo, "-o", "-"}, {"encode", photo, "-o", "-", "--json"}, {"encode", photo, "-o", "x/", "--jobs", "0"}, {"encode", photo, "-o", "x", "--frob"},
		{"encode", photo, "-o", "x", "--map-size", "7"}, {"encode", photo, "-o", "x", "--clip-bits", "0"}, {"encode", photo, "-o", "x", "--color-bits", "9"},
		{"encode", "nothing", "-o", "x", "--clip-bits", "6", "--model", "nothing"}, {"encode", "nothing", "-o", "x", "--clip-bits", "17", "--profile", "paper"},
		{"decode"}, {"decode", "x"}, {"decode", "x", "-o", "x.gif"}, {"decode", "x", "-o", "x.jpg", "--keep-stream"}, {"decode", "x", "-o", "x.jpg", "--jpeg-quality", "101"}, {"decode", "x", "-o", "x/", "--format", "gif"}, {"decode", "x", "-o", "x.png", "--precision", "double"},
		{"decode", "x", "-o", "x.png", "--steps", "0"}, {"decode", "x", "-o", "x.png", "--steps", "many"}, {"decode", "x", "-o", "x.png", "--seed", "-1"},
		{"decode", "x", "-o", "x.png", "--strength", "-0.1"}, {"decode", "x", "-o", "x.png", "--guidance", "-1"}, {"decode", "x", "-o", "x.png", "--size", "0"},
		{"info"}, {"compare", "x"}, {"compare", "x", "y", "z"}, {"compare", "x", "y", "--map-size", "3"}, {"info", "x", "--machine"}, {"info", "x", "--size", "0"},
		{"synth"}, {"synth", "x", "--config", "huge"}, {"verify"}, {"verify", "x", "--precision", "half"}, {"version", "x"},
	} {
		fail(t, process.Usage, nil, args...)
	}
	fail(t, process.Usage, []string{"--clip-bits 6: the tuned profile has at most 5, --profile paper 16"}, "encode", photo, "-o", "x", "--clip-bits", "6")
	// These ranges depend on the model.
	stream := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", stream)
	out := t.TempDir()
	for _, args := range [][]string{{"--size", "100"}, {"--size", "8192"}, {"--steps", "1001"}, {"--strength", "1.5"}, {"--noise-level", "1000"}} {
		fail(t, process.Usage, nil, append([]string{"decode", stream, "-o", filepath.Join(out, "a.png")}, args...)...)
	}
	onlyFiles(t, out)
}

func TestBadKernels(t *testing.T) {
	t.Setenv("COCLICO_KERNELS", "abacus")
	fail(t, process.Failed, []string{"COCLICO_KERNELS=abacus"}, "info", "--machine")
}
