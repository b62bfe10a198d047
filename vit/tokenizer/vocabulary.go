package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of the files. CLIP's have 1.0 MB, 0.5 MB and 1 kB, and 49,408 words.
const (
	maxVocabulary = 8 << 20
	maxMerges     = 8 << 20
	maxConfig     = 1 << 20
	maxWords      = 1 << 17
	maxWord       = 512 // bytes of a word
	maxLength     = 1 << 14
)

// readFile parses a file of at most limit bytes.
func readFile[T any](folder fs.FS, name string, limit int64, parse func([]byte) (T, error)) (v T, err error) {
	data, err := readAll(folder, name, limit)
	if err == nil {
		v, err = parse(data)
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

func readAll(folder fs.FS, name string, limit int64) ([]byte, error) {
	// Check before opening: opening a named pipe waits for its other end.
	info, err := fs.Stat(folder, name)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	}
	f, err := folder.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("is larger than %d bytes", limit)
	}
	return data, nil
}

// cause returns the reason alone from an error that repeats the file's name.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// A vocabulary has the ids of words.
type vocabulary struct {
	file string // that has the words
	ids  map[string]symbol
	size int // above every id
}

// parseVocabulary reads an object of words and ids. Each of them appears once.
func parseVocabulary(data []byte) (v vocabulary, err error) {
	v.file, v.ids = vocabularyFile, make(map[string]symbol)
	used := make(map[int64]bool)
	err = eachMember(data, func(word string, dec *json.Decoder) error {
		if len(v.ids) == maxWords {
			return fmt.Errorf("more than %d words", maxWords)
		}
		if word == "" || len(word) > maxWord {
			return fmt.Errorf("a word has %d bytes, 1 to %d are supported", len(word), maxWord)
		}
		if _, ok := v.ids[word]; ok {
			return fmt.Errorf("%q appears twice", word)
		}
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		number, ok := tok.(json.Number)
		if !ok {
			return fmt.Errorf("the id of %q is not a number", word)
		}
		id, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil || id < 0 || id >= maxWords {
			return fmt.Errorf("the id of %q is not a number from 0 to %d", word, maxWords-1)
		}
		if used[id] {
			return fmt.Errorf("id %d appears twice", id)
		}
		used[id] = true
		v.ids[word] = symbol(id)
		v.size = max(v.size, int(id)+1)
		return nil
	})
	return v, err
}

// eachMember calls f for each member of a JSON object, whose value f must read.
func eachMember(data []byte, f func(key string, dec *json.Decoder) error) error {
	if !utf8.Valid(data) {
		return errors.New("is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	tok, err := dec.Token()
	if err != nil {
		return jsonError(err)
	}
	if tok != json.Delim('{') {
		return errors.New("is not a JSON object")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return jsonError(err)
		}
		if err := f(key.(string), dec); err != nil {
			return jsonError(err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return jsonError(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("has something after its JSON object")
	}
	return nil
}

// jsonError explains the end of a file within an object.
func jsonError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("is truncated")
	}
	return err
}

// parseMerges reads lines of two words that become one, in the order of their
// ranks. A first line that begins with #version is a comment.
func (v vocabulary) parseMerges(data []byte) (map[pair]merge, error) {
	merges := make(map[pair]merge)
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || number == 1 && strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("line %d is not two words", number)
		}
		if err := v.appendMerge(merges, left, right); err != nil {
			return nil, fmt.Errorf("line %d %w", number, err)
		}
	}
	return merges, nil
}

// appendMerge adds the merge of two words, whose rank is the number of those
// before it.
func (v vocabulary) appendMerge(merges map[pair]merge, left, right string) error {
	l, okL := v.ids[left]
	r, okR := v.ids[right]
	to, okT := v.ids[left+right]
	if !okL || !okR || !okT {
		return fmt.Errorf("has words that are not in %s", v.file)
	}
	if _, ok := merges[pair{l, r}]; ok {
		return errors.New("appears twice")
	}
	if len(merges) == maxWords {
		return fmt.Errorf("is too much: %d merges are supported", maxWords)
	}
	merges[pair{l, r}] = merge{int32(len(merges)), to}
	return nil
}

// byteTokens are the words of single bytes.
type byteTokens struct {
	byteToken [256]symbol // of each byte of a word
	lastToken [256]symbol // of the last byte of a word
}

// setBytes finds the words of single bytes.
func (t *byteTokens) setBytes(v vocabulary) error {
	for b := range 256 {
		for _, w := range []struct {
			word string
			to   *symbol
		}{{string(printable(b)), &t.byteToken[b]}, {string(printable(b)) + "</w>", &t.lastToken[b]}} {
			id, ok := v.ids[w.word]
			if !ok {
				return fmt.Errorf("has no word %q, which byte %d needs", w.word, b)
			}
			*w.to = id
		}
	}
	return nil
}

// printable returns the character that stands for a byte in the vocabulary, as
// in GPT-2: the byte's own where it prints in Latin-1, and those from U+0100 in
// order for the others.
func printable(b int) rune {
	switch {
	case b <= ' ':
		return rune(0x100 + b)
	case b <= '~':
		return rune(b)
	case b <= 0xa0:
		return rune(0x100 + '!' + b - 0x7f)
	case b == 0xad:
		return 0x100 + '!' + 0xa1 - 0x7f
	}
	return rune(b)
}
