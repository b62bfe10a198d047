package model_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"testing/fstest"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights"
)

// normaliserOnly is a folder with no more than what a fingerprint needs.
func normaliserOnly(t *testing.T, d weights.DType, mean, std []byte) *weights.Folder {
	t.Helper()
	n := len(mean) / d.Size()
	var file bytes.Buffer
	specs := []weights.Spec{{Name: "mean", DType: d, Shape: []int{1, n}}, {Name: "std", DType: d, Shape: []int{1, n}}}
	err := weights.WriteSafetensors(&file, specs, func(i int, w io.Writer) error {
		_, err := w.Write([][]byte{mean, std}[i])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := weights.FolderFS(fstest.MapFS{
		"model_index.json":                                     {Data: []byte(`{"_class_name":"StableUnCLIPImg2ImgPipeline"}`)},
		"image_normalizer/config.json":                         {Data: fmt.Appendf(nil, `{"embedding_dim":%d}`, n)},
		"image_normalizer/diffusion_pytorch_model.safetensors": {Data: file.Bytes()},
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFingerprint: a stream carries it, so it never changes. The first value
// is what sha256sum says of 02000000 0000 003c 0038 0040 (Python:
// hashlib.sha256(struct.pack('<I4e', 2, 0, 1, .5, 2)).hexdigest()).
func TestFingerprint(t *testing.T) {
	half := normaliserOnly(t, weights.F16, []byte{0x00, 0x80, 0x00, 0x3c}, []byte{0x00, 0x38, 0x00, 0x40})
	float := normaliserOnly(t, weights.F32, []byte{1, 0, 0, 0x80, 1, 0, 0x80, 0x3f}, []byte{0, 0, 0, 0x3f, 0, 0, 0, 0x40})
	for _, f := range []*weights.Folder{half, float} {
		got, err := model.Fingerprint(f)
		if err != nil {
			t.Fatal(err)
		}
		if want := uint32(0x17ac4816); got != want {
			t.Errorf("fingerprint %08x, not %08x", got, want)
		}
	}
	huge := normaliserOnly(t, weights.F32, []byte{0, 0, 0x80, 0x47}, []byte{0, 0, 0x80, 0x3f})
	if _, err := model.Fingerprint(huge); err == nil {
		t.Error("a mean of 65536 has a fingerprint")
	}
}

func TestFingerprintTellsModelsApart(t *testing.T) {
	seen := map[uint32]string{}
	for _, config := range synth.Names() {
		for seed := range int64(3) {
			f, err := synth.Folder(config, seed)
			if err != nil {
				t.Fatal(err)
			}
			got, err := model.Fingerprint(f)
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%s, seed %d", config, seed)
			// tiny-768 and unclip-l have the same normaliser: the law knows its
			// tensors by name, shape and seed.
			if other, ok := seen[got]; ok && config != "unclip-l" {
				t.Errorf("%s and %s have the same fingerprint %08x", name, other, got)
			}
			seen[got] = name
		}
	}
}
