package tokenizer

import (
	"io/fs"
	"slices"
	"strings"
)

// A Tokenizer is the tokenizer of one model. It is safe for concurrent use.
type Tokenizer struct {
	byteTokens
	merges   map[pair]merge
	raw      []special // special tokens found in the text as it is
	folded   []special // special tokens found in the text after folding
	bos, eos int       // begin and end of a text
	pad      int       // fills up Encode's result
	length   int       // of Encode's result
	size     int       // ids are below it
	added    int       // of them, the last
}

// New reads a tokenizer folder. An error is one line that begins with the name
// of the file at fault.
func New(folder fs.FS) (*Tokenizer, error) {
	words, err := readLexicon(folder)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{byteTokens: words.byteTokens, merges: words.merges}
	cfg, err := readConfig(folder, words.added)
	if err != nil {
		return nil, err
	}
	own := words.size
	if err := words.add(cfg.added); err != nil {
		return nil, err
	}
	t.size, t.added = words.size, words.size-own
	if err := t.setSpecials(cfg, words.vocabulary); err != nil {
		return nil, err
	}
	return t, nil
}

// Len returns the number of tokens of a text: the model_max_length of
// tokenizer_config.json, CLIP's 77 by default.
func (t *Tokenizer) Len() int { return t.length }

// Size returns the size of the vocabulary: every id is below it.
func (t *Tokenizer) Size() int { return t.size }

// Added returns how many tokens were added to the vocabulary. Theirs are the last
// ids.
func (t *Tokenizer) Added() int { return t.added }

// End returns the id of the end of a text.
func (t *Tokenizer) End() int { return t.eos }

// Encode returns the ids of a text between those of its begin and its end, and
// as many padding tokens as are needed for Len tokens. The end of a text that
// is too long is cut off. Bytes that are not UTF-8 count as U+FFFD.
//
// The time that Encode takes is n log n in the text's bytes.
func (t *Tokenizer) Encode(text string) []int {
	tokens := t.Tokens(text)
	ids := append(make([]int, 0, t.length), t.bos)
	ids = append(ids, tokens[:min(len(tokens), t.length-2)]...)
	ids = append(ids, t.eos)
	return append(ids, slices.Repeat([]int{t.pad}, t.length-len(ids))...)
}

// Tokens returns the ids of a text alone, however many they are. Encode has
// room for Len()-2.
func (t *Tokenizer) Tokens(text string) []int {
	var ids []int
	text = strings.ToValidUTF8(text, "\ufffd")
	cut(text, t.raw, func(text string, id int) {
		if text == "" {
			ids = append(ids, id)
			return
		}
		cut(fold(text), t.folded, func(text string, id int) {
			if text == "" {
				ids = append(ids, id)
				return
			}
			words(text, func(word string) { ids = t.appendWord(ids, word) })
		})
	})
	return ids
}

// A special is a token that is found in a text as it stands.
type special struct {
	text string // not empty
	id   int
}

// cut calls yield for each piece of a text between special tokens, and with an
// empty piece for each of these. Of tokens that begin at the same place it
// takes the longest.
func cut(text string, specials []special, yield func(piece string, id int)) {
	next := make([]int, len(specials)) // where each one occurs next
	for i := range next {
		next[i] = -1
	}
	for at := 0; at < len(text); {
		begin, found := len(text), -1
		for i, s := range specials {
			if next[i] < at {
				next[i] = len(text)
				if n := strings.Index(text[at:], s.text); n >= 0 {
					next[i] = at + n
				}
			}
			if next[i] < begin || found >= 0 && next[i] == begin && len(s.text) > len(specials[found].text) {
				begin, found = next[i], i
			}
		}
		if begin > at {
			yield(text[at:begin], 0)
		}
		at = begin
		if found >= 0 {
			yield("", specials[found].id)
			at += len(specials[found].text)
		}
	}
}
