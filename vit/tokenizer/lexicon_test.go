package tokenizer

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// saved returns a folder as transformers 5 writes it, without vocab.json.
func saved(t testing.TB) fstest.MapFS {
	data, err := os.ReadFile("testdata/added.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var c struct{ Files map[string]string }
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if c.Files[serializedFile] != "" {
			dir := fstest.MapFS{}
			for name, text := range c.Files {
				dir[name] = &fstest.MapFile{Data: []byte(text)}
			}
			return dir
		}
	}
	t.Fatal("no tokenizer.json")
	return nil
}

// TestOldSerialized: the tokenizer.json that OpenAI's CLIP was published with
// has merges in strings, another pattern, and fewer keys.
func TestOldSerialized(t *testing.T) {
	dir := saved(t)
	now, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) {
		data := dir[serializedFile].Data
		changed := bytes.ReplaceAll(data, []byte(old), []byte(new))
		if bytes.Equal(data, changed) {
			t.Fatalf("the file has no %s", old)
		}
		dir[serializedFile] = &fstest.MapFile{Data: changed}
	}
	change(`["i", "n"]`, `"i n"`)
	change(`<\\|startoftext\\|>|<\\|endoftext\\|>|`, "")
	change(`, "use_regex": true`, "")
	change(`"byte_fallback": false, "ignore_merges": false, `, "")
	change(`"type": "BPE", `, "")
	change(`"truncation": null`, `"truncation": {"direction": "Right", "max_length": 77, "strategy": "LongestFirst", "stride": 0}`)
	old, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	const text = "in the wind of a <cat-toy>!"
	if a, b := now.Encode(text), old.Encode(text); !slices.Equal(a, b) {
		t.Errorf("%v, want %v", b, a)
	}
}

func TestSerializedErrors(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"type": "NFC"`, `"type": "NFD"`, "normalizer is not that of CLIP's tokenizer"},
		{`"invert": true`, `"invert": false`, "pre_tokenizer is not that of CLIP's tokenizer"},
		{`"add_prefix_space": false, "trim_offsets": true`, `"add_prefix_space": true, "trim_offsets": true`, "pre_tokenizer is not"},
		{`"type": "BPE"`, `"type": "WordPiece"`, "model.type is not"},
		{`"dropout": null`, `"dropout": 0.1`, "model.dropout is not"},
		{`"end_of_word_suffix": "</w>"`, `"end_of_word_suffix": ""`, "model.end_of_word_suffix is not"},
		{`"ignore_merges": false`, `"ignore_merges": true`, "model.ignore_merges is not"},
		{`"padding": null`, `"padding": {"direction": "Left"}`, "padding is not on the right"},
		{`"model": {`, `"model": [], "x": {`, "model is not a JSON object"},
		{`"vocab": {`, `"vocab": {"!": 700, `, `model.vocab: "!" appears twice`},
		{`"!": 0`, `"x!": 0`, `has no word "!", which byte 33 needs`},
		{`["i", "n"]`, `["i", "n", "n"]`, "model.merges: merge 0 is not two words"},
		{`["i", "n"]`, `"i  n"`, "model.merges: merge 0 is not two words"},
		{`["i", "n"]`, `["q", "q"]`, "model.merges: merge 0 has words that are not in tokenizer.json"},
		{`["i", "n"]`, `["t", "h"]`, "model.merges: merge 1 appears twice"},
		{`"merges": [`, `"merges": 1, "x": [`, "model.merges: is not a list"},
		{`"id": 522, `, ``, `added_tokens has "<cat-toy>" without an id`},
		{`"id": 522, `, `"id": 7, `, `the id of the added token "<cat-toy>" is 7, not 522`},
		{`<Dog>`, `<cat-toy>`, `added_tokens has "<cat-toy>" twice`},
		{`"added_tokens": [`, `"added_tokens": 5, "x": [`, "added_tokens is not a list"},
	} {
		dir := saved(t)
		data := dir[serializedFile].Data
		changed := bytes.Replace(data, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(data, changed) {
			t.Errorf("the file has no %s", c.old)
		}
		dir[serializedFile] = &fstest.MapFile{Data: changed}
		if _, err := New(dir); err == nil || !strings.HasPrefix(err.Error(), serializedFile+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.new, err, c.want)
		}
	}
	dir := saved(t)
	delete(dir, serializedFile)
	if _, err := New(dir); err == nil || err.Error() != "vocab.json: is missing, and so is tokenizer.json" {
		t.Errorf("without words: %v", err)
	}
}

// FuzzSerialized: whatever a tokenizer.json holds, New reports an error or
// returns a tokenizer whose ids are in its vocabulary.
func FuzzSerialized(f *testing.F) {
	dir := saved(f)
	f.Add(dir[serializedFile].Data, "a photo of a <cat-toy>")
	f.Add([]byte(`{"model": {"vocab": {"a": 0}, "merges": ["a a"]}, "added_tokens": [{"id": 1, "content": "b"}]}`), "")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		dir := maps.Clone(dir)
		dir[serializedFile] = &fstest.MapFile{Data: data}
		tok, err := New(dir)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of two lines: %q", err)
			}
			return
		}
		check(t, tok, text)
	})
}
