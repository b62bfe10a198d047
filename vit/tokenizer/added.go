package tokenizer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
)

const (
	decoderKey = "added_tokens_decoder"
	addedFile  = "added_tokens.json"
	maxAdded   = 1024 // each one is searched for in every text
)

// setAdded reads the tokens that were added to the vocabulary: those of
// added_tokens_decoder if the configuration has it, and otherwise those of
// tokenizer.json, which c has, and added_tokens.json. A named token is found in
// texts as its added token is.
func (c *config) setAdded(folder fs.FS, first, second object) error {
	specials := []string{c.begin.text, c.end.text, c.unknown.text, c.padding.text}
	more, err := moreSpecials(configFile, first)
	if err != nil {
		return err
	}
	legacy, err := moreSpecials(specialsFile, second)
	if err != nil {
		return err
	}
	more = append(more, legacy...)
	if raw := first[decoderKey]; raw != nil {
		c.added, err = parseDecoder(raw)
		if err != nil {
			return fmt.Errorf("%s: %s %w", configFile, decoderKey, err)
		}
	} else {
		added, err := readFile(folder, addedFile, maxConfig, func(data []byte) ([]token, error) {
			return parseAdded(data, append(specials, more...))
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, t := range added {
			if !hasText(c.added, t.text) {
				c.added = append(c.added, t)
			}
		}
	}
	slices.SortFunc(c.added, func(a, b token) int { return cmp.Compare(a.id, b.id) })
	known := specials
	for _, t := range c.added {
		known = append(known, t.text)
		for _, named := range []*token{&c.begin, &c.end, &c.unknown, &c.padding} {
			if named.text == t.text {
				named.folded = t.folded
			}
		}
	}
	for _, text := range more {
		if !slices.Contains(known, text) {
			return fmt.Errorf("%s: the id of the special token %q is missing: write it to %s", configFile, text, addedFile)
		}
	}
	return nil
}

// moreSpecials returns the texts of a file's special tokens without a purpose.
func moreSpecials(file string, members object) (texts []string, err error) {
	for _, key := range []string{"additional_special_tokens", "extra_special_tokens"} {
		raw := members[key]
		var list []json.RawMessage
		if raw != nil && string(raw) != "{}" && json.Unmarshal(raw, &list) != nil || len(list) > maxAdded {
			return nil, fmt.Errorf("%s: %s is not a list of at most %d tokens", file, key, maxAdded)
		}
		for _, raw := range list {
			t, err := parseToken(raw, "")
			if err != nil {
				return nil, fmt.Errorf("%s: %s has a token that %w", file, key, err)
			}
			texts = append(texts, t.text)
		}
	}
	return texts, nil
}

// parseDecoder reads the value of added_tokens_decoder: tokens by their ids.
func parseDecoder(raw json.RawMessage) ([]token, error) {
	members, err := parseObject(raw)
	if err != nil {
		return nil, err
	}
	if len(members) > maxAdded {
		return nil, errTooMany
	}
	var added []token
	for _, key := range slices.Sorted(maps.Keys(members)) {
		t, err := parseToken(members[key], "")
		if err != nil {
			return nil, fmt.Errorf("has a token that %w", err)
		}
		if t.id, err = strconv.Atoi(key); err != nil {
			return nil, fmt.Errorf("has %q, which is not an id", key)
		}
		if hasText(added, t.text) {
			return nil, fmt.Errorf("has %q twice", t.text)
		}
		t.file = configFile
		added = append(added, t)
	}
	return added, nil
}

// parseAdded reads added_tokens.json: ids by words. Those that are not special
// tokens are found in folded text.
func parseAdded(data []byte, specials []string) (added []token, err error) {
	words, err := parseVocabulary(data)
	if err == nil && len(words.ids) > maxAdded {
		err = errTooMany
	}
	if err != nil {
		return nil, err
	}
	for text, id := range words.ids {
		t := token{file: addedFile, text: text, folded: !slices.Contains(specials, text), id: int(id)}
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("%q %w", text, err)
		}
		added = append(added, t)
	}
	return added, nil
}

func hasText(tokens []token, text string) bool {
	return slices.ContainsFunc(tokens, func(t token) bool { return t.text == text })
}

var errTooMany = fmt.Errorf("has more than %d tokens", maxAdded)

// add adds tokens to the vocabulary. Those that it has must have their ids of
// the vocabulary, and the others the ids that follow, as in transformers.
func (v *vocabulary) add(added []token) error {
	for _, t := range added {
		want := v.size
		if id, ok := v.ids[t.text]; ok {
			want = int(id)
		}
		if t.id != want || t.id >= maxWords {
			return fmt.Errorf("%s: the id of the added token %q is %d, not %d as the vocabulary needs", t.file, t.text, t.id, want)
		}
		v.ids[t.text] = symbol(t.id)
		v.size = max(v.size, t.id+1)
	}
	return nil
}
