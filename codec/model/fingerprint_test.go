package model_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights"
)

// normalizerOnly returns a folder with only what a fingerprint needs.
func normalizerOnly(t *testing.T, d weights.DType, mean, std []byte) *weights.Folder {
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

// TestFingerprint: files have it, so it never changes. The first value is the
// SHA-256 of 02000000 0000 003c 0038 0040 (in Python:
// hashlib.sha256(struct.pack('<I4e', 2, 0, 1, .5, 2)).hexdigest()).
func TestFingerprint(t *testing.T) {
	half := normalizerOnly(t, weights.F16, []byte{0x00, 0x80, 0x00, 0x3c}, []byte{0x00, 0x38, 0x00, 0x40})
	float := normalizerOnly(t, weights.F32, []byte{1, 0, 0, 0x80, 1, 0, 0x80, 0x3f}, []byte{0, 0, 0, 0x3f, 0, 0, 0, 0x40})
	for _, f := range []*weights.Folder{half, float} {
		got, err := model.Fingerprint(f)
		if err != nil {
			t.Fatal(err)
		}
		if want := uint32(0x17ac4816); got != want {
			t.Errorf("fingerprint %08x, not %08x", got, want)
		}
	}
	huge := normalizerOnly(t, weights.F32, []byte{0, 0, 0x80, 0x47}, []byte{0, 0, 0x80, 0x3f})
	if _, err := model.Fingerprint(huge); err == nil {
		t.Error("a mean of 65536 has a fingerprint")
	}
}

// TestStd: vectors are divided by the standard deviation.
func TestStd(t *testing.T) {
	for _, bad := range [][]byte{{0, 0}, {0, 0x80}, {0, 0xbc}} { // 0, -0, -1
		f := normalizerOnly(t, weights.F16, []byte{0, 0, 0, 0}, append([]byte{0, 0x3c}, bad...))
		if _, _, err := model.New(f).Normalizer(); err == nil || !strings.Contains(err.Error(), "image_normalizer: value 1 of std is ") {
			t.Errorf("%x: error %v", bad, err)
		}
	}
}

// TestBFloat16: a copy of the statistics in bfloat16 has no fingerprint, but it
// is recognized as a copy, whether it was rounded from float32 or from float16.
func TestBFloat16(t *testing.T) {
	half := []byte{0x01, 0x3c, 0x04, 0x3c}                       // 1+2^-10, 1+2^-8: a tie of bfloat16
	float := []byte{0, 0x20, 0x80, 0x3f, 0x01, 0x80, 0x80, 0x3f} // 1+2^-10, 1+2^-8+2^-23
	direct := []byte{0x80, 0x3f, 0x81, 0x3f}                     // 1, 1+2^-7
	twice := []byte{0x80, 0x3f, 0x80, 0x3f}                      // 1, 1
	other := []byte{0x80, 0x3f, 0x82, 0x3f}
	folder := func(d weights.DType, values []byte) *weights.Folder {
		return normalizerOnly(t, d, values, values)
	}
	for _, c := range []struct {
		copy, original []byte
		d              weights.DType
		want           bool
	}{
		{direct, float, weights.F32, true},
		{twice, float, weights.F32, true},
		{twice, half, weights.F16, true},
		{direct, half, weights.F16, false},
		{other, float, weights.F32, false},
		{other, other, weights.BF16, false},
		{direct, float[:4], weights.F32, false},
	} {
		f := folder(weights.BF16, c.copy)
		if _, err := model.Fingerprint(f); !errors.Is(err, model.ErrBFloat16) || !strings.HasPrefix(err.Error(), "test/image_normalizer: ") {
			t.Errorf("fingerprint: %v", err)
		}
		if got := model.IsCopy(f, folder(c.d, c.original)); got != c.want {
			t.Errorf("%x of %x: IsCopy is %v", c.copy, c.original, got)
		}
	}
	if model.IsCopy(folder(weights.F16, half), folder(weights.F32, float)) {
		t.Error("float16 is said to be bfloat16")
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
			// tiny-768 and unclip-l have the same normalizer: the law knows its
			// tensors by name, shape and seed.
			if other, ok := seen[got]; ok && config != "unclip-l" {
				t.Errorf("%s and %s have the same fingerprint %08x", name, other, got)
			}
			seen[got] = name
		}
	}
}
