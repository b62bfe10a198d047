package text

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/vit/tokenizer"
	"github.com/coclico/coclico/weights"
)

const config = `{"model_type": "clip", "projection_dim": 24, "text_config": {"model_type": "clip_text_model", "hidden_size": 32, "intermediate_size": 64,
	"num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 600, "eos_token_id": 2}}`

// clip writes the folder of a small CLIP with synthetic weights of its text
// tower, and one tensor of its vision tower.
func clip(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := synth.Write(t.Context(), filepath.Join(dir, "tiny"), "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(dir, "tiny", "tokenizer"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, dir, nil, weights.Spec{Name: "vision_model.post_layernorm.weight", Shape: []int{8}}, weights.Spec{Name: "logit_scale", Shape: []int{1}})
	return dir
}

// write writes the text tower's weights and more, those of some tensors, by
// name, replaced by a number, which is given in the bits of float16.
func write(t *testing.T, dir string, replaced map[string]uint16, more ...weights.Spec) {
	t.Helper()
	cfg, err := vit.ParseTextEmbedConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	s := weights.Recorder()
	vit.NewTextEmbedder(s.Scope(), cfg)
	specs := append(s.Requested(), more...)
	for i := range specs {
		specs[i].DType = weights.F16
	}
	err = weights.WriteFile(filepath.Join(dir, weightsFile), func(w io.Writer) error {
		return weights.WriteSafetensors(w, specs, func(i int, w io.Writer) error {
			data := weights.SynthTensor(specs[i].Name, specs[i].Shape, 1).Data
			if bits, ok := replaced[specs[i].Name]; ok {
				data = bytes.Repeat([]byte{byte(bits), byte(bits >> 8)}, len(data)/2)
			}
			_, err := w.Write(data)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEmbed(t *testing.T) {
	dir := clip(t)
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Dimensions() != 24 {
		t.Errorf("%d dimensions", e.Dimensions())
	}
	tok, err := tokenizer.New(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	var vectors [][]float32
	for _, words := range []string{"a photo of a fox", "", "a boat at dusk", strings.Repeat("fox ", 500)} {
		v, err := e.Embed(t.Context(), words)
		if err != nil {
			t.Fatal(err)
		}
		var ws nn.Workspace
		want, err := e.tower.Forward(t.Context(), &ws, [][]int{tok.Encode(words)})
		if err != nil {
			t.Fatal(err)
		}
		var length, dot, norm float64
		for i := range v {
			length += float64(v[i]) * float64(v[i])
			dot += float64(v[i]) * float64(want.Data[i])
			norm += float64(want.Data[i]) * float64(want.Data[i])
		}
		if math.Abs(length-1) > 1e-6 || math.Abs(dot-math.Sqrt(norm)) > 1e-6*math.Sqrt(norm) {
			t.Errorf("%.20q: length %v, %v along the tower's output of length %v", words, length, dot, math.Sqrt(norm))
		}
		ws.Close()
		vectors = append(vectors, v)
	}
	for i := range vectors {
		if i > 0 && slices.Equal(vectors[0], vectors[i]) {
			t.Errorf("texts 0 and %d have one vector", i)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if v, err := e.Embed(t.Context(), "A photo of  a FOX"); err != nil || !slices.Equal(v, vectors[0]) {
				t.Errorf("at once: %v, %v", v, err)
			}
		})
	}
	wg.Wait()
}

// TestDirection: a direction is a text's vector less the mean of the usual ones'.
func TestDirection(t *testing.T) {
	e, err := Open(t.Context(), clip(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const words = "a boat at dusk"
	got, err := e.Direction(t.Context(), words)
	if err != nil {
		t.Fatal(err)
	}
	want, err := e.Embed(t.Context(), words)
	if err != nil {
		t.Fatal(err)
	}
	for _, caption := range usual {
		v, err := e.Embed(t.Context(), caption)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i] -= v[i] / float32(len(usual))
		}
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-5 {
			t.Errorf("dimension %d: %v, want %v", i, got[i], want[i])
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for _, c := range []struct{ file, content, want string }{
		{"vocab.json", "", ""}, {"merges.txt", "", ""}, {configFile, "", ""}, {weightsFile, "", ""},
		{configFile, strings.Replace(config, "600", "599", 1), "599 words and 77 positions, the tokenizer's are 600 and 77"},
		{configFile, strings.Replace(config, `"vocab_size"`, `"max_position_embeddings": 76, "vocab_size"`, 1), "600 words and 76 positions, the tokenizer's are 600 and 77"},
		{configFile, `{"model_type": "t5"}`, "t5"},
		{configFile, config + strings.Repeat(" ", maxConfig+1-len(config)), "is larger than 1048576 bytes"},
	} {
		dir := clip(t)
		name := filepath.Join(dir, c.file)
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if c.content != "" {
			if err := os.WriteFile(name, []byte(c.content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Open(t.Context(), dir)
		if err == nil || !strings.HasPrefix(err.Error(), dir) || !strings.Contains(err.Error(), c.file) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %.20q: error %v, want %q", c.file, c.content, err, c.want)
		}
	}
}

// TestBadWeights: a tensor that the tower does not have, and a weight that is no
// number, are errors when the folder is opened; vectors without a direction when
// they are made.
func TestBadWeights(t *testing.T) {
	const nan = 0x7e00
	for _, c := range []struct {
		replaced map[string]uint16
		more     []weights.Spec
		opens    bool
		want     string
	}{
		{nil, []weights.Spec{{Name: "text_model.stray", Shape: []int{1}}}, false, "text_model.stray"},
		{map[string]uint16{"text_model.final_layer_norm.bias": nan}, nil, false, "text_model.final_layer_norm.bias"},
		{map[string]uint16{"text_projection.weight": 0}, nil, true, "has no direction"},
	} {
		dir := clip(t)
		write(t, dir, c.replaced, c.more...)
		e, err := Open(t.Context(), dir)
		if (err == nil) != c.opens {
			t.Errorf("the folder is opened: %v, want %v", err == nil, c.opens)
		}
		if err == nil {
			_, err = e.Embed(t.Context(), "a fox")
			e.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), dir) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// TestNormalize: what has no length, or one that is no number, has no direction.
func TestNormalize(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, v := range [][]float32{{}, {0, 0}, {1, nan}, {1, inf}, {-inf, 0}} {
		if n := normalize(v); n != nil {
			t.Errorf("%v becomes %v", v, n)
		}
	}
	for _, v := range [][]float32{{3, -4}, {3e-45, -4e-45}, {3e38, 0}} { // squares beyond float32
		if n := normalize(v); len(n) != 2 || math.Abs(math.Hypot(float64(n[0]), float64(n[1]))-1) > 1e-7 {
			t.Errorf("%v becomes %v", v, n)
		}
	}
}
