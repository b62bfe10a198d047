package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// A config is what tokenizer_config.json and special_tokens_map.json specify.
type config struct {
	begin, end, unknown, padding token
	length                       int
}

// A token is a special token of a configuration.
type token struct {
	file, key string // where it is specified
	text      string
	folded    bool // it is found in folded text
}

const (
	configFile   = "tokenizer_config.json"
	specialsFile = "special_tokens_map.json"
)

// readConfig reads both files, which may be absent. Newer versions of
// transformers list all tokens in the first one under added_tokens_decoder;
// otherwise those of the second replace those of the first.
func readConfig(folder fs.FS) (config, error) {
	first, err := readOptional(folder, configFile)
	if err != nil {
		return config{}, err
	}
	second, err := readOptional(folder, specialsFile)
	if err != nil {
		return config{}, err
	}
	added, err := addedTokens(first["added_tokens_decoder"])
	if err != nil {
		return config{}, fmt.Errorf("%s: %w", configFile, err)
	}
	if added != nil {
		second = nil
	}
	cfg := config{length: 77}
	for _, k := range []struct {
		key, text string
		to        *token
	}{
		{"bos_token", "<|startoftext|>", &cfg.begin},
		{"eos_token", "<|endoftext|>", &cfg.end},
		{"unk_token", "<|endoftext|>", &cfg.unknown},
		{"pad_token", "<|endoftext|>", &cfg.padding},
	} {
		file, raw := configFile, first[k.key]
		if r, ok := second[k.key]; ok {
			file, raw = specialsFile, r
		}
		*k.to, err = parseToken(raw, k.text, added)
		if err != nil {
			return config{}, fmt.Errorf("%s: %s %w", file, k.key, err)
		}
		k.to.file, k.to.key = file, k.key
	}
	if raw, ok := first["model_max_length"]; ok {
		if json.Unmarshal(raw, &cfg.length) != nil || cfg.length < 2 || cfg.length > maxLength {
			return config{}, fmt.Errorf("%s: model_max_length is not a number from 2 to %d", configFile, maxLength)
		}
	}
	return cfg, nil
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

// addedTokens reads the value of added_tokens_decoder: tokens by their ids,
// which vocab.json has too. It returns nil if the value is absent.
func addedTokens(raw json.RawMessage) (map[string]token, error) {
	if raw == nil {
		return nil, nil
	}
	members, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("added_tokens_decoder %w", err)
	}
	added := make(map[string]token)
	for _, id := range slices.Sorted(maps.Keys(members)) {
		t, err := parseToken(members[id], "", nil)
		if err != nil {
			return nil, fmt.Errorf("added_tokens_decoder has a token that %w", err)
		}
		if _, twice := added[t.text]; twice {
			return nil, fmt.Errorf("added_tokens_decoder has %q twice", t.text)
		}
		added[t.text] = t
	}
	return added, nil
}

// parseToken reads a token: a string, by default text, or an object with the
// string and how to find it. A string takes the latter from the added tokens.
func parseToken(raw json.RawMessage, text string, added map[string]token) (token, error) {
	t := token{text: text}
	if raw == nil || json.Unmarshal(raw, &t.text) == nil { // null leaves the default
		if a, ok := added[t.text]; ok {
			return a, nil
		}
	} else {
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
	if t.text == "" || len(t.text) > maxWord {
		return t, fmt.Errorf("has %d bytes, 1 to %d are supported", len(t.text), maxWord)
	}
	return t, nil
}

// setSpecials finds the special tokens in the vocabulary. Where two are the
// same word, the later one decides how it is found, as in transformers.
func (t *Tokenizer) setSpecials(cfg config, v vocabulary) error {
	t.length = cfg.length
	tokens := []token{cfg.begin, cfg.end, cfg.unknown, cfg.padding}
	for i, to := range []*int{&t.bos, &t.eos, nil, &t.pad} {
		k := tokens[i]
		id, ok := v.ids[k.text]
		if !ok {
			return fmt.Errorf("%s: %s %q is not in vocab.json", k.file, k.key, k.text)
		}
		if to != nil {
			*to = int(id)
		}
		if slices.ContainsFunc(tokens[i+1:], func(later token) bool { return later.text == k.text }) {
			continue
		}
		if !k.folded {
			t.raw = append(t.raw, special{k.text, int(id)})
		} else if text := strings.TrimSpace(fold(k.text)); text != "" {
			t.folded = append(t.folded, special{text, int(id)})
		}
	}
	return nil
}
