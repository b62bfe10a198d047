package tokenizer

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// fewMerges returns the vocabulary of the first n merges of CLIP's.
func fewMerges(n int) fstest.MapFS {
	_, merges := clipFiles()
	lines := strings.SplitAfter(string(merges), "\n")
	merges = []byte(strings.Join(lines[:1+n], ""))
	return fstest.MapFS{"vocab.json": {Data: vocabularyOf(merges)}, "merges.txt": {Data: merges}}
}

// TestAddedGolden compares with transformers' CLIPTokenizer what becomes of
// tokens that the vocabulary does not have; added.py of bench/golden makes the cases.
func TestAddedGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/added.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var c struct {
			Name      string
			Files     map[string]string
			Size, Pad int
			IDs       map[string][]int
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		dir := fewMerges(8)
		for name, text := range c.Files {
			dir[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if _, ok := dir["tokenizer.json"]; ok {
			delete(dir, "vocab.json")
			delete(dir, "merges.txt")
		}
		tok, err := New(dir)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if tok.Size() != c.Size || tok.pad != c.Pad {
			t.Errorf("%s: size %d, padding %d, want %d and %d", c.Name, tok.Size(), tok.pad, c.Size, c.Pad)
		}
		if len(c.IDs) < 5 {
			t.Errorf("%s: only %d texts", c.Name, len(c.IDs))
		}
		for text, want := range c.IDs {
			if ids := tok.Tokens(text); !slices.Equal(ids, want) {
				t.Errorf("%s: %q\n%v, want\n%v", c.Name, text, ids, want)
			}
		}
	}
}

func TestAddedErrors(t *testing.T) {
	var many strings.Builder
	for i := range maxAdded + 1 {
		many.WriteString(`, "` + strconv.Itoa(600+i) + `": "t` + strconv.Itoa(i) + `"`)
	}
	for _, c := range []struct{ file, data, want string }{
		{"tokenizer_config.json", `{"added_tokens_decoder": {"600": "<a>", "601": "<b>"}}`, ""},
		{"tokenizer_config.json", `{"added_tokens_decoder": {"601": "<a>"}}`, `the id of the added token "<a>" is 601, not 600`},
		{"tokenizer_config.json", `{"added_tokens_decoder": {"600": "!"}}`, `the id of the added token "!" is 600, not 0`},
		{"tokenizer_config.json", `{"added_tokens_decoder": {"0x258": "<a>"}}`, `"0x258", which is not an id`},
		{"tokenizer_config.json", `{"added_tokens_decoder": {"600": {"content": "<a b>", "normalized": true}}}`, "white space"},
		{"tokenizer_config.json", `{"added_tokens_decoder": {` + many.String()[2:] + `}}`, "more than 1024"},
		{"tokenizer_config.json", `{"additional_special_tokens": ["<a>"]}`, `"<a>" is missing: write it to added_tokens.json`},
		{"tokenizer_config.json", `{"extra_special_tokens": {"image": "<a>"}}`, "not a list"},
		{"added_tokens.json", `{"<a>": 600}`, ""},
		{"added_tokens.json", `{"<a>": 599}`, `is 599, not 600`},
		{"added_tokens.json", `{"<a>": 601}`, `is 601, not 600`},
		{"added_tokens.json", `{"<a b>": 600}`, "white space"},
		{"added_tokens.json", `{"<a>": "x"}`, "not a number"},
	} {
		dir := small()
		dir[c.file] = &fstest.MapFile{Data: []byte(c.data)}
		_, err := New(dir)
		if (err == nil) != (c.want == "") || err != nil && (!strings.HasPrefix(err.Error(), c.file+": ") || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %.80s: error %v, want %q", c.file, c.data, err, c.want)
		}
	}
}
