package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var vectors = flag.String("vectors", "testdata/vectors.jsonl", "file with the texts and ids of TestGolden")

const (
	sd2Specials  = `{"bos_token": {"content": "<|startoftext|>", "normalized": true}, "eos_token": {"content": "<|endoftext|>", "normalized": true}, "pad_token": "!", "unk_token": {"content": "<|endoftext|>", "normalized": true}}`
	clipSpecials = `{"bos_token": {"content": "<|startoftext|>", "normalized": true}, "eos_token": {"content": "<|endoftext|>", "normalized": true}, "pad_token": "<|endoftext|>", "unk_token": {"content": "<|endoftext|>", "normalized": true}}`
	someConfig   = `{"model_max_length": 77, "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer"}`
)

// clipFiles returns CLIP's vocab.json and merges.txt. The words are the 256
// bytes, the same at the end of a word, the products of the merges, and the two
// special tokens; the bytes that print come first.
var clipFiles = sync.OnceValues(func() (vocabulary, merges []byte) {
	f, err := os.Open("testdata/merges.txt.gz")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		panic(err)
	}
	if merges, err = io.ReadAll(z); err != nil {
		panic(err)
	}
	return vocabularyOf(merges), merges
})

// vocabularyOf returns the vocab.json that belongs to a merges.txt.
func vocabularyOf(merges []byte) []byte {
	var words []string
	for _, prints := range []bool{true, false} {
		for b := range 256 {
			if r := printable(b); (r < 0x100) == prints {
				words = append(words, string(r))
			}
		}
	}
	for _, w := range slices.Clone(words) {
		words = append(words, w+"</w>")
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(merges), "\n"), "\n")[1:] {
		words = append(words, strings.Replace(line, " ", "", 1))
	}
	words = append(words, "<|startoftext|>", "<|endoftext|>")
	ids := make(map[string]int)
	for i, w := range words {
		ids[w] = i
	}
	data, err := json.Marshal(ids)
	if err != nil {
		panic(err)
	}
	return data
}

func folder(vocabulary, merges []byte, specials string) fstest.MapFS {
	return fstest.MapFS{
		"vocab.json":              {Data: vocabulary},
		"merges.txt":              {Data: merges},
		"tokenizer_config.json":   {Data: []byte(someConfig)},
		"special_tokens_map.json": {Data: []byte(specials)},
	}
}

func open(t testing.TB, specials string) *Tokenizer {
	t.Helper()
	vocabulary, merges := clipFiles()
	tok, err := New(folder(vocabulary, merges, specials))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// small is a folder of 600 words, the first merges of CLIP's.
func small() fstest.MapFS {
	_, merges := clipFiles()
	lines := strings.SplitAfter(string(merges), "\n")
	merges = []byte(strings.Join(lines[:1+600-512-2], ""))
	return folder(vocabularyOf(merges), merges, sd2Specials)
}

func TestFox(t *testing.T) {
	tok := open(t, sd2Specials)
	want := append([]int{49406, 320, 1125, 539, 320, 3240, 49407}, make([]int, 70)...)
	if ids := tok.Encode("a photo of a fox"); !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	if tok.Len() != 77 || tok.Size() != 49408 || tok.End() != 49407 {
		t.Errorf("length %d, size %d, end %d", tok.Len(), tok.Size(), tok.End())
	}
	if n := len(tok.Tokens(strings.Repeat("fox ", 500))); n != 500 {
		t.Errorf("%d tokens, want 500", n)
	}
}

// TestGolden compares with transformers' CLIPTokenizer; tokenizer.py of
// bench/golden makes the vectors.
func TestGolden(t *testing.T) {
	f, err := os.Open(*vectors)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, k := range []struct {
		name string
		tok  *Tokenizer
		pad  int
	}{{"sd2", open(t, sd2Specials), 0}, {"clip", open(t, clipSpecials), 49407}} {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		lines, wrong := 0, 0
		for scan := bufio.NewScanner(f); scan.Scan(); lines++ {
			var v map[string]json.RawMessage
			var text string
			var want []int
			if err := json.Unmarshal(scan.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(v["text"], &text); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(v[k.name], &want); err != nil {
				t.Fatal(err)
			}
			want = append(want, slices.Repeat([]int{k.pad}, 77-len(want))...)
			if ids := k.tok.Encode(text); !slices.Equal(ids, want) {
				if wrong++; wrong <= 20 {
					t.Errorf("%s: %+q\n%v, want\n%v", k.name, text, ids, want)
				}
			}
		}
		t.Logf("%s: %d texts, %d differ", k.name, lines, wrong)
		if lines < 90 {
			t.Errorf("only %d texts", lines)
		}
	}
}

// TestAdded: newer versions of transformers list the tokens in
// tokenizer_config.json, and the other file does not count.
func TestAdded(t *testing.T) {
	vocabulary, merges := clipFiles()
	dir := folder(vocabulary, merges, clipSpecials)
	dir["tokenizer_config.json"].Data = []byte(`{"added_tokens_decoder": {"0": {"content": "!", "lstrip": false, "normalized": false},
		"49406": {"content": "<|startoftext|>", "normalized": true}, "49407": {"content": "<|endoftext|>", "normalized": true}},
		"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "!", "model_max_length": 8}`)
	tok, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if ids, want := tok.Encode("<|ENDOFTEXT|>x!"), []int{49406, 49407, 343, 0, 49407, 0, 0, 0}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	delete(dir, "tokenizer_config.json")
	delete(dir, "special_tokens_map.json")
	if tok, err = New(dir); err != nil {
		t.Fatal(err)
	}
	if ids := tok.Encode(""); tok.Len() != 77 || ids[0] != 49406 || ids[1] != 49407 || ids[76] != 49407 {
		t.Errorf("without configuration: %v", ids)
	}
}

func TestInvalidUTF8(t *testing.T) {
	tok := open(t, clipSpecials)
	if a, b := tok.Encode("a\xffb"), tok.Encode("a\ufffdb"); !slices.Equal(a, b) {
		t.Errorf("%v, want %v", a, b)
	}
}

// TestLongTexts: the time is about linear, whatever a megabyte consists of. A
// quadratic algorithm takes hours.
func TestLongTexts(t *testing.T) {
	tok := open(t, sd2Specials)
	for _, unit := range []string{"a", "ha", "fox ", "=", "1", "!", "a!", "<|endoftext|>", "<|", "\u0301", "e\u0323\u0302", "\u1100", "🦊", "ἀ\u0345", "<|startoftext|>!a"} {
		start := time.Now()
		text := strings.Repeat(unit, 1<<20/len(unit))
		ids := tok.Encode(text)
		if len(ids) != 77 || ids[0] != 49406 || ids[76] != 49407 {
			t.Errorf("%q: %d ids", unit, len(ids))
		}
		if d := time.Since(start); d > time.Minute {
			t.Errorf("a megabyte of %q takes %v", unit, d)
		}
	}
}

func TestErrors(t *testing.T) {
	vocabulary := small()["vocab.json"].Data
	with := func(old, new string) []byte {
		changed := bytes.Replace(vocabulary, []byte(old), []byte(new), 1)
		if bytes.Equal(changed, vocabulary) {
			t.Fatalf("the vocabulary has no %s", old)
		}
		return changed
	}
	for _, c := range []struct {
		file string
		data []byte // nil for no file
		want string
	}{
		{"vocab.json", nil, "is missing"},
		{"vocab.json", []byte(""), "truncated"},
		{"vocab.json", []byte("[]"), "not a JSON object"},
		{"vocab.json", vocabulary[:1000], "truncated"},
		{"vocab.json", append(vocabulary[:len(vocabulary):len(vocabulary)], "{}"...), "after its JSON object"},
		{"vocab.json", with(`"in":`, `"th":`), `"th" appears twice`},
		{"vocab.json", with(`"in":512`, `"in":513`), "id 513 appears twice"},
		{"vocab.json", with(`"in":512`, `"in":-1`), `the id of "in" is not a number from 0`},
		{"vocab.json", with(`"in":512`, `"in":1e3`), `the id of "in" is not a number from 0`},
		{"vocab.json", with(`"in":512`, `"in":131072`), `the id of "in" is not a number from 0`},
		{"vocab.json", with(`"in":512`, `"in":99999999999999999999`), `the id of "in" is not a number from 0`},
		{"vocab.json", with(`"in":512`, `"in":"512"`), `the id of "in" is not a number`},
		{"vocab.json", with(`"in":512`, `"in":[512]`), `the id of "in" is not a number`},
		{"vocab.json", with(`"in":512`, `"in":512,"":1000`), "0 bytes"},
		{"vocab.json", with(`"in":512`, `"in":512,"`+strings.Repeat("a", 513)+`":1000`), "513 bytes"},
		{"vocab.json", with(`"in":512`, "\"\xff\":512"), "UTF-8"},
		{"vocab.json", with(`"!\u003c/w\u003e":`, `"a!":`), "which byte 33 needs"},
		{"vocab.json", bytes.Repeat([]byte(" "), maxVocabulary+1), "larger than"},
		{"vocab.json", numbered(maxWords + 1), "more than 131072 words"},
		{"merges.txt", nil, "does not exist"},
		{"merges.txt", []byte("#version: 0.2\ni n\nt\n"), "line 3 is not two words"},
		{"merges.txt", []byte("i n t\n"), "line 1 is not two words"},
		{"merges.txt", []byte("i n\nq q\n"), "line 2 has words that are not in vocab.json"},
		{"merges.txt", []byte("i n\nt h\ni n\n"), "line 3 appears twice"},
		{"merges.txt", []byte("i n\n#version: 0.2\n"), "line 2 has words that are not in vocab.json"},
		{"merges.txt", bytes.Repeat([]byte("\n"), maxMerges+1), "larger than"},
		{"special_tokens_map.json", []byte(`{"pad_token": "<pad>"}`), `pad_token "<pad>" is not in vocab.json`},
		{"special_tokens_map.json", []byte(`{"pad_token": 5}`), "pad_token is neither a string nor a token"},
		{"special_tokens_map.json", []byte(`{"pad_token": ""}`), "pad_token has 0 bytes"},
		{"special_tokens_map.json", []byte(`{"pad_token": {"content": "!", "lstrip": true}}`), "pad_token is found by lstrip"},
		{"special_tokens_map.json", []byte(`{"pad_token": "!", "pad_token": "a"}`), "appears twice"},
		{"special_tokens_map.json", []byte(`{"pad_token": `), "truncated"},
		{"tokenizer_config.json", []byte(`{"model_max_length": 1}`), "model_max_length is not"},
		{"tokenizer_config.json", []byte(`{"model_max_length": 1e30}`), "model_max_length is not"},
		{"tokenizer_config.json", []byte(`{"model_max_length": "77"}`), "model_max_length is not"},
		{"tokenizer_config.json", []byte(`{"added_tokens_decoder": []}`), "added_tokens_decoder is not a JSON object"},
		{"tokenizer_config.json", []byte(`{"added_tokens_decoder": {"0": {}}}`), "neither a string nor a token"},
		{"tokenizer_config.json", []byte(`{"added_tokens_decoder": {"1": {"content": "a", "normalized": false}, "2": {"content": "a", "normalized": true}}}`), `has "a" twice`},
		{"tokenizer_config.json", []byte(`{"bos_token": "` + strings.Repeat("a", 513) + `"}`), ""}, // special_tokens_map.json has another
		{"tokenizer_config.json", bytes.Repeat([]byte(" "), maxConfig+1), "larger than"},
	} {
		dir := small()
		if c.data == nil {
			delete(dir, c.file)
		} else {
			dir[c.file] = &fstest.MapFile{Data: c.data}
		}
		tok, err := New(dir)
		switch {
		case c.want == "" && err == nil && tok != nil:
		case err == nil || !strings.HasPrefix(err.Error(), c.file+": ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s %.60q: error %v, want %s", c.file, c.data, err, c.want)
		}
	}
	dir := small()
	dir["vocab.json"] = &fstest.MapFile{Mode: os.ModeDir}
	if _, err := New(dir); err == nil || err.Error() != "vocab.json: is not a regular file" {
		t.Errorf("a folder in the vocabulary's place: %v", err)
	}
}

// numbered returns a vocabulary of n words.
func numbered(n int) []byte {
	b := []byte("{")
	for i := range n {
		b = fmt.Appendf(b, `"w%d":%d,`, i, i%maxWords)
	}
	b[len(b)-1] = '}'
	return b
}

// FuzzNew: whatever a folder's files hold, New reports an error or returns a
// tokenizer whose ids are in its vocabulary.
func FuzzNew(f *testing.F) {
	dir := small()
	f.Add(dir["vocab.json"].Data, dir["merges.txt"].Data, []byte(someConfig), []byte(sd2Specials), "a photo of a fox")
	f.Add([]byte(`{"a":0}`), []byte("a a\n"), []byte(`{"added_tokens_decoder": {"0": {"content": "a"}}}`), []byte(`{"pad_token": "!"}`), "\u0301\xff")
	f.Fuzz(func(t *testing.T, vocabulary, merges, config, specials []byte, text string) {
		if len(vocabulary) == 0 || vocabulary[0] != '{' {
			vocabulary = dir["vocab.json"].Data // so that other files are reached
		}
		tok, err := New(fstest.MapFS{
			"vocab.json":              {Data: vocabulary},
			"merges.txt":              {Data: merges},
			"tokenizer_config.json":   {Data: config},
			"special_tokens_map.json": {Data: specials},
		})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of two lines: %q", err)
			}
			return
		}
		check(t, tok, text)
	})
}

// FuzzEncode: the tokens' bytes are those of the folded text without its white
// space.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{"a photo of a fox", "İ'S 10 <|endoftext|>!", strings.Repeat("a\u0301", 40), "\xff\x00", "<|STARTOFTEXT|>"} {
		f.Add(text)
	}
	tok := open(f, clipSpecials)
	vocabulary, _ := clipFiles()
	var ids map[string]int
	if err := json.Unmarshal(vocabulary, &ids); err != nil {
		f.Fatal(err)
	}
	words := make([]string, len(ids))
	for w, id := range ids {
		words[id] = strings.TrimSuffix(w, "</w>")
	}
	value := make(map[rune]byte)
	for b := range 256 {
		value[printable(b)] = byte(b)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check(t, tok, text)
		if strings.Contains(strings.ToLower(text), "</w>") || strings.Contains(text, "<|") {
			return
		}
		var got []byte
		for _, id := range tok.Tokens(text) {
			for _, r := range words[id] {
				got = append(got, value[r])
			}
		}
		want := strings.Join(strings.Fields(fold(strings.ToValidUTF8(text, "\ufffd"))), "")
		if string(got) != want {
			t.Errorf("%+q became %+q, want %+q", text, got, want)
		}
	})
}

func check(t *testing.T, tok *Tokenizer, text string) {
	ids := tok.Encode(text)
	if len(ids) != tok.Len() || ids[0] != tok.bos || !slices.Contains(ids[1:], tok.eos) {
		t.Errorf("%+q: %v", text, ids)
	}
	for _, id := range ids {
		if id < 0 || id >= tok.Size() {
			t.Errorf("%+q: id %d of a vocabulary of %d", text, id, tok.Size())
		}
	}
}

func TestPrintable(t *testing.T) {
	seen := make(map[rune]bool)
	for b := range 256 {
		seen[printable(b)] = true
		if r := printable(b); r <= ' ' || !utf8.ValidRune(r) || r == 0xad {
			t.Errorf("byte %d is %q", b, r)
		}
	}
	if len(seen) != 256 {
		t.Errorf("%d characters", len(seen))
	}
}

func BenchmarkNew(b *testing.B) {
	vocabulary, merges := clipFiles()
	dir := folder(vocabulary, merges, sd2Specials)
	for b.Loop() {
		if _, err := New(dir); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	tok := open(b, sd2Specials)
	for b.Loop() {
		tok.Encode("a photo of a fox under an old oak, at dusk")
	}
}

// TestCompose compares NFC by its definition with package norm, for a few marks
// in a row.
func TestCompose(t *testing.T) {
	var starters, marks []rune
	for r := range rune(0x30000) {
		if utf8.ValidRune(r) {
			if class(r) == 0 && (r < 0x3400 || r%16 == 0) {
				starters = append(starters, r)
			} else {
				marks = append(marks, r)
			}
		}
	}
	for i, r := range starters {
		for j := range 3 {
			a, b := marks[(7*i+j)%len(marks)], marks[(11*i+13*j)%len(marks)]
			for _, text := range []string{string(r), string([]rune{r, a}), string([]rune{r, a, 'x', b})} {
				if got, want := composeAny(text), norm.NFC.String(text); got != want {
					t.Fatalf("%+q becomes %+q, want %+q", text, got, want)
				}
			}
		}
	}
}
