package verify

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/mini"
)

// goldens returns the tiny cases of bench/golden/golden.py, which are beside
// the packages that they test.
func goldens() []string {
	var all []string
	for _, name := range []string{
		"codec/quant/testdata/quantizers", "codec/testdata/roundtrip",
		"solver/testdata/condition", "solver/testdata/randn", "solver/testdata/schedules",
		"unet/testdata/unet_square", "unet/testdata/unet_wide", "vae/testdata/vae",
		"vit/testdata/preprocess", "vit/testdata/text", "vit/testdata/vision",
	} {
		all = append(all, filepath.Join("..", "..", "..", filepath.FromSlash(name)+suffix))
	}
	return all
}

func tiny(t *testing.T, seed int64) *model.Model {
	t.Helper()
	folder, err := synth.Folder("tiny", seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	return model.New(folder)
}

// TestBuiltIn compares the built-in model with PyTorch's results for it.
func TestBuiltIn(t *testing.T) {
	folder, err := mini.Folder()
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	const cases = 6
	for name, exact := range map[string]bool{"exact": true, "fast": false} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ok, err := Run(t.Context(), &out, model.New(folder), exact, []string{"../../../weights/mini/testdata"})
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				t.Errorf("out of bounds:\n%s", failures(out.String()))
			}
			if n := strings.Count(out.String(), suffix); n < cases {
				t.Errorf("%d cases were verified, want %d:\n%s", n, cases, out.String())
			}
		})
	}
}

func TestGoldens(t *testing.T) {
	for name, exact := range map[string]bool{"exact": true, "fast": false} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ok, err := Run(t.Context(), &out, tiny(t, 1), exact, goldens())
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				t.Errorf("out of bounds:\n%s", failures(out.String()))
			}
			for _, kind := range kinds() {
				if !strings.Contains(out.String(), string(filepath.Separator)+kind) {
					t.Errorf("no case of kind %s was verified", kind)
				}
			}
			if n := strings.Count(out.String(), "\n  mid/"); n < 80 {
				t.Errorf("only %d layers were compared", n)
			}
		})
	}
}

func failures(out string) string {
	var lines []string
	for _, line := range strings.Split(out, "\n") {
		if strings.HasSuffix(line, failed.String()) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// TestOtherWeights checks that comparisons can fail: every case that runs a
// network, and no other, must be out of bounds for another seed.
func TestOtherWeights(t *testing.T) {
	for _, path := range goldens() {
		kind := kindOf(path)
		if kind == "roundtrip" {
			continue // the other cases cover its parts, and it is slow
		}
		var out bytes.Buffer
		ok, err := Run(t.Context(), &out, tiny(t, 2), false, []string{path})
		if err != nil {
			t.Fatal(err)
		}
		want := kind == "preprocess" || kind == "randn" || kind == "schedules" || kind == "quantizers"
		if ok != want {
			t.Errorf("%s with other weights: %v", kind, ok)
		}
	}
}

func TestCompare(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		got, want []float32
		rms, max  float64
		verdict   verdict
	}{
		{[]float32{3, 4}, []float32{3, 4}, 0, 0, passed},
		{[]float32{3, 4.5}, []float32{3, 4}, 0.1, 0.125, passed},
		{[]float32{3, 6}, []float32{3, 4}, 0.4, 0.5, failed},
		{[]float32{0, 0}, []float32{0, 0}, 0, 0, passed},
		{[]float32{1, 0}, []float32{0, 0}, 1, 1, failed},
		{[]float32{3, nan}, []float32{3, 4}, math.NaN(), math.NaN(), failed},
		{[]float32{3}, []float32{3, 4}, 0, 0, failed},
	} {
		l := compare("x", c.got, c.want, 0.2)
		if l.verdict != c.verdict || !equal(l.rms, c.rms) || !equal(l.max, c.max) {
			t.Errorf("%v against %v: %+v", c.got, c.want, l)
		}
	}
	if l := compareCodes("x", []int64{1, 2, 3}, []int64{1, 2, 4}, 0.3); l.verdict != failed {
		t.Error("one code of three is within 30 %")
	}
	if l := compareCodes("x", []int64{1, 2, 3}, []int64{1, 2, 4}, 0.34); l.verdict != passed {
		t.Error("one code of three is not within 34 %")
	}
	steps := func(got ...float32) verdict { return compareSteps("x", got, []float32{1, 2, 3, 4}, 1, 0.25, 0).verdict }
	if steps(1, 2, 3, 5) != passed || steps(1, 2, 4, 5) != failed || steps(1, 2, 3, 6) != failed || steps(1, 2, 3, nan) != failed {
		t.Error("steps are judged wrongly")
	}
}

func equal(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-9
}

func TestLimits(t *testing.T) {
	l := fastBounds().unet
	for n, want := range map[int]float64{2048: 2e-2, 2 * 4 * 96 * 96: 1.8e-2, 17: 2e-2} {
		if got := l.of(n); got != want {
			t.Errorf("bound for %d values is %g, want %g", n, got, want)
		}
	}
}

// TestBadCases checks that a case file of another kind than its name's is an
// error, not a panic.
func TestBadCases(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range append(kinds(), "unet_x", "unknown") {
		path := filepath.Join(dir, kind+suffix)
		for _, tensors := range [][]weights.Tensor{
			nil,
			{{Name: "in/x"}},
			{{Name: "in/sample", Shape: []int{1, 4, 1, 1}}, {Name: "in/timestep", Shape: []int{2}}},
			{{Name: "in/pixel_values", Shape: []int{0, 3, 56, 56}}},
			{{Name: "in/input_ids", Shape: []int{2, 3}, DType: weights.I64}},
			{{Name: "in/image_uint8", Shape: []int{1, 1, 3}, DType: weights.U8}, {Name: "in/latent", Shape: []int{1, 4, 1, 1}}},
			{{Name: "in/image_embeds", Shape: []int{1, 31}}},
			{{Name: "in/image", Shape: []int{5, 5, 3}, DType: weights.U8}},
			{{Name: "out/0/resized_uint8", Shape: []int{3, 5, 6}, DType: weights.U8}},
			{{Name: "out/0/8x8b9/rgb"}, {Name: "in/embedding", Shape: []int{3}}},
		} {
			writeCase(t, path, tensors)
			_, err := Run(t.Context(), new(bytes.Buffer), tiny(t, 1), false, []string{path})
			if err == nil {
				t.Errorf("%s %v: no error", kind, tensors)
			} else if !strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %q does not begin with the file", kind, err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "text"+suffix), []byte("no tensors"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), new(bytes.Buffer), tiny(t, 1), false, []string{filepath.Join(dir, "text"+suffix)}); err == nil {
		t.Error("a text for a case: no error")
	}
}

func writeCase(t *testing.T, path string, tensors []weights.Tensor) {
	t.Helper()
	var specs []weights.Spec
	for _, s := range tensors {
		d := s.DType
		if d == weights.F16 {
			d = weights.F32
		}
		specs = append(specs, weights.Spec{Name: s.Name, Shape: s.Shape, DType: d})
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = weights.WriteSafetensors(f, specs, func(i int, w io.Writer) error {
		_, err := w.Write(make([]byte, specs[i].DType.Size()*weights.Tensor{Shape: specs[i].Shape}.Len()))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
