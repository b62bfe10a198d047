package model_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// TestEmptyPrompt: without words a model paints with what its own tokenizer
// makes of "", whatever its padding is.
func TestEmptyPrompt(t *testing.T) {
	dir := t.TempDir()
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	specials := filepath.Join(dir, string(weights.Tokenizer), "special_tokens_map.json")
	data, err := os.ReadFile(specials)
	if err != nil {
		t.Fatal(err)
	}
	var empty [2]*nn.Tensor
	for i, padding := range []string{"!", "<|endoftext|>"} {
		data := bytes.Replace(data, []byte(`"pad_token": "!"`), []byte(`"pad_token": "`+padding+`"`), 1)
		if err := os.WriteFile(specials, data, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := weights.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m := model.New(f)
		want, err := m.TextEmbeds(t.Context(), []string{""}, false)
		if err != nil {
			t.Fatal(err)
		}
		if empty[i], err = m.PromptEmbeds(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(empty[i].Data, want.Data) {
			t.Errorf("padding %s: the empty prompt is not that of the tokenizer", padding)
		}
	}
	if slices.Equal(empty[0].Data, empty[1].Data) {
		t.Error("the padding makes no difference")
	}
}

// TestNoTokenizer: without a tokenizer, the last two words begin and end a text,
// unless words were added to CLIP's.
func TestNoTokenizer(t *testing.T) {
	const config = `{"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": %d}`
	for words, want := range map[int]string{
		4: "", 49408: "", 49410: "m/text_encoder/config.json: vocab_size is 49410, above CLIP's 49408: the empty prompt needs the model's tokenizer folder",
	} {
		f, err := weights.SyntheticFolder(fstest.MapFS{
			"unet":                     {Mode: fs.ModeDir},
			"text_encoder/config.json": {Data: fmt.Appendf(nil, config, words)},
		}, "m", 1)
		if err != nil {
			t.Fatal(err)
		}
		x, err := model.New(f).PromptEmbeds(t.Context(), false)
		switch {
		case want != "":
			if err == nil || err.Error() != want {
				t.Errorf("%d words: error %v", words, err)
			}
		case err != nil:
			t.Error(err)
		case x.W != 77 || x.C != 8:
			t.Errorf("%d words: %d tokens of width %d", words, x.W, x.C)
		}
	}
}
