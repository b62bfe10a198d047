package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
)

// A config is what tokenizer_config.json, special_tokens_map.json and
// added_tokens.json specify.
type config struct {
	begin, end, unknown, padding token
	added                        []token // in the order of their ids
	length                       int
}

// A token is a special token of a configuration.
type token struct {
	file, key string // where it is specified
	text      string
	folded    bool // it is found in folded text
	id        int  // of an added token
}

const (
	configFile   = "tokenizer_config.json"
	specialsFile = "special_tokens_map.json"
)

// readConfig reads the files, which may be absent. Newer versions of
// transformers list all tokens in the first one under added_tokens_decoder;
// otherwise those of the second replace those of the first. added has the tokens
// that tokenizer.json adds, if the words are from there.
func readConfig(folder fs.FS, added []token) (config, error) {
	first, err := readOptional(folder, configFile)
	if err != nil {
		return config{}, err
	}
	second, err := readOptional(folder, specialsFile)
	if err != nil {
		return config{}, err
	}
	if first[decoderKey] != nil {
		second = nil
	}
	cfg := config{added: added, length: 77}
	if err := cfg.setNamed(first, second); err != nil {
		return config{}, err
	}
	if err := cfg.setAdded(folder, first, second); err != nil {
		return config{}, err
	}
	if raw, ok := first["model_max_length"]; ok {
		if json.Unmarshal(raw, &cfg.length) != nil || cfg.length < 2 || cfg.length > maxLength {
			return config{}, fmt.Errorf("%s: model_max_length is not a number from 2 to %d", configFile, maxLength)
		}
	}
	return cfg, nil
}

// setNamed reads the tokens that have a purpose.
func (c *config) setNamed(first, second object) error {
	for _, k := range []struct {
		key, text string
		to        *token
	}{
		{"bos_token", "<|startoftext|>", &c.begin},
		{"eos_token", "<|endoftext|>", &c.end},
		{"unk_token", "<|endoftext|>", &c.unknown},
		{"pad_token", "<|endoftext|>", &c.padding},
	} {
		file, raw := configFile, first[k.key]
		if r, ok := second[k.key]; ok {
			file, raw = specialsFile, r
		}
		t, err := parseToken(raw, k.text)
		if err != nil {
			return fmt.Errorf("%s: %s %w", file, k.key, err)
		}
		t.file, t.key = file, k.key
		*k.to = t
	}
	return nil
}

type object map[string]json.RawMessage

func readOptional(folder fs.FS, name string) (object, error) {
	members, err := readFile(folder, name, maxConfig, parseObject)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return members, err
}

func parseObject(data []byte) (object, error) {
	members := object{}
	err := eachMember(data, func(key string, dec *json.Decoder) error {
		if _, ok := members[key]; ok {
			return fmt.Errorf("%q appears twice", key)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		members[key] = raw
		return nil
	})
	return members, err
}

// parseToken reads a token: a string, by default text, or an object with the
// string and how to find it.
func parseToken(raw json.RawMessage, text string) (token, error) {
	t := token{text: text}
	if raw != nil && json.Unmarshal(raw, &t.text) != nil { // null leaves the default
		var v struct {
			Content    *string `json:"content"`
			Normalized bool    `json:"normalized"`
			LStrip     bool    `json:"lstrip"`
			RStrip     bool    `json:"rstrip"`
			SingleWord bool    `json:"single_word"`
		}
		if json.Unmarshal(raw, &v) != nil || v.Content == nil {
			return t, errors.New("is neither a string nor a token")
		}
		if v.LStrip || v.RStrip || v.SingleWord {
			return t, errors.New("is found by lstrip, rstrip or single_word, which is not supported")
		}
		t.text, t.folded = *v.Content, v.Normalized
	}
	return t, t.check()
}

func (t token) check() error {
	if t.text == "" || len(t.text) > maxWord {
		return fmt.Errorf("has %d bytes, 1 to %d are supported", len(t.text), maxWord)
	}
	if t.folded && strings.ContainsFunc(t.text, unicode.IsSpace) { // fold keeps white space, transformers does not
		return errors.New("has white space and is normalized, which is not supported")
	}
	return nil
}

// setSpecials finds the special tokens in the vocabulary. Where two are the
// same word, the later one decides how it is found, as in transformers.
func (t *Tokenizer) setSpecials(cfg config, v vocabulary) error {
	t.length = cfg.length
	for _, k := range []struct {
		token
		to *int
	}{{cfg.begin, &t.bos}, {cfg.end, &t.eos}, {cfg.unknown, nil}, {cfg.padding, &t.pad}} {
		id, ok := v.ids[k.text]
		if !ok {
			return fmt.Errorf("%s: %s %q is not in %s", k.file, k.key, k.text, v.file)
		}
		if k.to != nil {
			*k.to = int(id)
		}
	}
	tokens := append(cfg.added, cfg.begin, cfg.end, cfg.unknown, cfg.padding)
	for i, k := range tokens {
		if slices.ContainsFunc(tokens[i+1:], func(later token) bool { return later.text == k.text }) {
			continue
		}
		id := int(v.ids[k.text])
		if k.folded {
			t.folded = append(t.folded, special{fold(k.text), id})
		} else {
			t.raw = append(t.raw, special{k.text, id})
		}
	}
	return nil
}
