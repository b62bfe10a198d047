package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

const (
	vocabularyFile = "vocab.json"
	mergesFile     = "merges.txt"
	serializedFile = "tokenizer.json"
)

// A lexicon has the words of a tokenizer and how they are merged.
type lexicon struct {
	vocabulary
	byteTokens
	merges map[pair]merge
	added  []token // by tokenizer.json
}

// readLexicon reads vocab.json and merges.txt, or tokenizer.json where the first
// is absent: transformers 5 writes only that.
func readLexicon(folder fs.FS) (l lexicon, err error) {
	l.vocabulary, err = readFile(folder, vocabularyFile, maxVocabulary, parseVocabulary)
	if errors.Is(err, fs.ErrNotExist) {
		serialized, other := readFile(folder, serializedFile, maxVocabulary, parseSerialized)
		if errors.Is(other, fs.ErrNotExist) {
			return l, fmt.Errorf("%s: is missing, and so is %s", vocabularyFile, serializedFile)
		}
		return serialized, other
	}
	if err != nil {
		return l, err
	}
	if err := l.setBytes(l.vocabulary); err != nil {
		return l, fmt.Errorf("%s: %w", vocabularyFile, err)
	}
	l.merges, err = readFile(folder, mergesFile, maxMerges, l.parseMerges)
	return l, err
}

// splits are the pre_tokenizers of CLIP's tokenizer, by their JSON. OpenAI's is
// older than transformers', and does not say that GPT-2's pattern is applied.
var splits = []string{split(``, ``), split(``, `,"use_regex":true`), split(markerPattern, ``), split(markerPattern, `,"use_regex":true`)}

const markerPattern = `<\\|startoftext\\|>|<\\|endoftext\\|>|`

func split(pattern, more string) string {
	return `{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"` + pattern +
		`'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"},"behavior":"Removed","invert":true},` +
		`{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true` + more + `}]}`
}

// normalizer is that of CLIP's tokenizer.
const normalizer = `{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Lowercase"}]}`

// parseSerialized reads a tokenizer.json that describes CLIP's tokenizer.
func parseSerialized(data []byte) (l lexicon, err error) {
	file, err := parseObject(data)
	if err != nil {
		return l, err
	}
	if err := checkFixed(file, "", fixed{"normalizer", []string{normalizer}}, fixed{"pre_tokenizer", splits}); err != nil {
		return l, err
	}
	if err := checkDirections(file); err != nil {
		return l, err
	}
	model, err := parseObject(file["model"])
	if err != nil {
		return l, fmt.Errorf("model %w", err)
	}
	if err := checkFixed(model, "model.", modelFixed...); err != nil {
		return l, err
	}
	if l.vocabulary, err = parseVocabulary(model["vocab"]); err != nil {
		return l, fmt.Errorf("model.vocab: %w", err)
	}
	l.file = serializedFile
	if err := l.setBytes(l.vocabulary); err != nil {
		return l, fmt.Errorf("model.vocab: %w", err)
	}
	if l.merges, err = l.parsePairs(model["merges"]); err != nil {
		return l, fmt.Errorf("model.merges: %w", err)
	}
	if l.added, err = parseSerializedTokens(file["added_tokens"]); err != nil {
		return l, fmt.Errorf("added_tokens %w", err)
	}
	return l, nil
}

// A fixed is a key and its supported values in JSON.
type fixed struct {
	key     string
	allowed []string
}

// absent stands for a key that is not in the file.
const absent = ""

var modelFixed = []fixed{
	{"type", []string{`"BPE"`, absent}},
	{"dropout", []string{"null", absent}},
	{"continuing_subword_prefix", []string{`""`, "null", absent}},
	{"end_of_word_suffix", []string{`"</w>"`}},
	{"byte_fallback", []string{"false", absent}},
	{"ignore_merges", []string{"false", absent}},
}

// checkFixed returns an error unless each key has one of its values.
func checkFixed(members object, prefix string, keys ...fixed) error {
	for _, k := range keys {
		raw := members[k.key]
		same := func(want string) bool {
			if raw == nil || want == absent {
				return raw == nil && want == absent
			}
			return sameJSON(raw, want)
		}
		if !slices.ContainsFunc(k.allowed, same) {
			return fmt.Errorf("%s%s is not that of CLIP's tokenizer, which alone is supported", prefix, k.key)
		}
	}
	return nil
}

// sameJSON reports whether two values are the same, whatever the order of their
// keys and their white space.
func sameJSON(raw json.RawMessage, want string) bool {
	var a, b any
	if json.Unmarshal(raw, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return false
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// checkDirections refuses texts that are cut or filled up on the left.
func checkDirections(file object) error {
	for _, key := range []string{"truncation", "padding"} {
		var v struct {
			Direction string `json:"direction"`
		}
		if raw := file[key]; raw != nil && json.Unmarshal(raw, &v) != nil || v.Direction != "" && v.Direction != "Right" {
			return fmt.Errorf("%s is not on the right, which alone is supported", key)
		}
	}
	return nil
}

// parsePairs reads a list of merges. Each is two words, in a string or in a list.
func (v vocabulary) parsePairs(raw json.RawMessage) (map[pair]merge, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, errors.New("is not a list")
	}
	merges := make(map[pair]merge)
	for i, raw := range list {
		var words []string
		var line string
		if json.Unmarshal(raw, &line) == nil {
			words = strings.Split(line, " ")
		} else if json.Unmarshal(raw, &words) != nil {
			words = nil
		}
		if len(words) != 2 {
			return nil, fmt.Errorf("merge %d is not two words", i)
		}
		if err := v.appendMerge(merges, words[0], words[1]); err != nil {
			return nil, fmt.Errorf("merge %d %w", i, err)
		}
	}
	return merges, nil
}

// parseSerializedTokens reads a list of added tokens.
func parseSerializedTokens(raw json.RawMessage) (added []token, err error) {
	var list []json.RawMessage
	if raw != nil && json.Unmarshal(raw, &list) != nil || len(list) > maxAdded {
		return nil, fmt.Errorf("is not a list of at most %d tokens", maxAdded)
	}
	for _, raw := range list {
		var v struct {
			ID *int `json:"id"`
		}
		t, err := parseToken(raw, "")
		if err != nil {
			return nil, fmt.Errorf("has a token that %w", err)
		}
		if json.Unmarshal(raw, &v) != nil || v.ID == nil {
			return nil, fmt.Errorf("has %q without an id", t.text)
		}
		if hasText(added, t.text) {
			return nil, fmt.Errorf("has %q twice", t.text)
		}
		t.file, t.id = serializedFile, *v.ID
		added = append(added, t)
	}
	return added, nil
}
