package text

import (
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
	write(t, dir, weights.Spec{Name: "vision_model.post_layernorm.weight", Shape: []int{8}}, weights.Spec{Name: "logit_scale", Shape: []int{1}})
	return dir
}

// write writes the text tower's weights and more.
func write(t *testing.T, dir string, more ...weights.Spec) {
	t.Helper()
	cfg, err := vit.ParseTextEmbedConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	s := weights.Recorder()
	vit.NewTextEmbedder(s.Scope(), cfg)
	err = weights.WriteFile(filepath.Join(dir, weightsFile), func(w io.Writer) error {
		return weights.WriteSynthetic(w, append(s.Requested(), more...), 1)
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
	for file, content := range map[string]string{
		"vocab.json": "", "merges.txt": "", configFile: "", weightsFile: "",
		configFile + " ": strings.Replace(config, "600", "599", 1), configFile + "  ": `{"model_type": "t5"}`, configFile + "   ": strings.Repeat(" ", maxConfig+1),
	} {
		dir := clip(t)
		file = strings.TrimSpace(file)
		name := filepath.Join(dir, file)
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if content != "" {
			if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Open(t.Context(), dir)
		if err == nil || !strings.HasPrefix(err.Error(), dir) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %.20q: error %v", file, content, err)
		}
	}
	dir := clip(t)
	write(t, dir, weights.Spec{Name: "text_model.stray", Shape: []int{1}})
	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "text_model.stray") {
		t.Errorf("a stray tensor: error %v", err)
	}
}
