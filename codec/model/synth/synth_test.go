package synth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/coclico/coclico/weights"
)

// golden returns the SHA-256 hashes of the files that golden.py's build writes
// for the model tiny with seed 1 (Python's safetensors 0.6, diffusers 0.42.1,
// transformers 5.23.0):
//
//	cfg, make = golden.build("tiny", 1, folder)
//	for part in make: make[part]()
func golden() map[string]string {
	return map[string]string{
		"image_encoder/model.safetensors":                      "4eab3dae356f7e689c217183d60486e32176abb448030ccd118287bfa437363e",
		"image_normalizer/diffusion_pytorch_model.safetensors": "b0fb2e5a8001a4d92b42c19ab6cd3d6f6c05f6190af79339de0cb0c52e1901d3",
		"text_encoder/model.safetensors":                       "cfad62f33ad75c1358d12bfb557f834313a1678a9be024d814739b2f75721afd",
		"unet/diffusion_pytorch_model.safetensors":             "cbff046a098587f743be7625523fb56b55d411b8324fbefd10de89d5d1aed329",
		"vae/diffusion_pytorch_model.safetensors":              "f5b79a450d673c7b48dbe373d465f16a60a81a8851923ed5dc8b26b63574264f",
	}
}

func TestWriteEqualsReference(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tiny")
	var done, total int64
	if err := Write(context.Background(), dir, "tiny", 1, func(d, n int64) { done, total = d, n }); err != nil {
		t.Fatal(err)
	}
	if done != total || total == 0 {
		t.Errorf("the last progress is %d of %d bytes", done, total)
	}
	for name, want := range golden() {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != want {
			t.Errorf("%s has hash %s, want %s", name, got, want)
		}
	}
	files := 0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files != 18 {
		t.Errorf("%d files, want 18: five of weights, twelve of JSON, the merges (%v)", files, err)
	}
	folder, err := weights.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	folder.Close()
}

// TestFullSize compares the numbers of weights with the real model's.
func TestFullSize(t *testing.T) {
	all, err := parts("unclip-l")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"image_encoder/model.safetensors":                      303_966_208,
		"image_normalizer/diffusion_pytorch_model.safetensors": 1536,
		"text_encoder/model.safetensors":                       340_387_840,
		"unet/diffusion_pytorch_model.safetensors":             869_517_764,
		"vae/diffusion_pytorch_model.safetensors":              83_653_863,
	}
	if len(all) != len(want) {
		t.Errorf("%d parts, want %d", len(all), len(want))
	}
	for _, p := range all {
		n := 0
		for _, s := range p.specs {
			n += weights.Tensor{Shape: s.Shape}.Len()
		}
		if n != want[p.file()] {
			t.Errorf("%s has %d weights, want %d", p.file(), n, want[p.file()])
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range Names() {
		f, err := Folder(name, 1)
		if err != nil || !Has(name) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f.Close()
	}
	for _, name := range []string{"", ".", "..", "../configs/tiny", "tiny/unet", "large"} {
		if Has(name) {
			t.Errorf("Has(%q) is true", name)
		}
	}
}

func TestWriteStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir := t.TempDir()
	err := Write(ctx, dir, "tiny", 1, func(done, total int64) {
		if done > total/2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want the context's", err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".part" {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
