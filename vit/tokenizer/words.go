package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// words calls yield for each piece of a folded text that CLIP's pattern
// matches, and that GPT-2's pattern for bytes, which transformers applies to
// the pieces, does not split again:
//
//	<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
func words(text string, yield func(string)) {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		n := size
		switch {
		case unicode.IsSpace(r):
			at += size
			continue
		case r == '<' && prefix(text[at:], markers) > 0:
			// GPT-2's pattern splits it into "<|", letters and "|>".
			n = prefix(text[at:], markers)
			yield(text[at : at+2])
			yield(text[at+2 : at+n-2])
			yield(text[at+n-2 : at+n])
			at += n
			continue
		case r == '\'' && prefix(text[at:], contractions) > 0:
			n = prefix(text[at:], contractions)
		case unicode.IsLetter(r):
			n = run(text[at:], unicode.IsLetter)
		case unicode.IsNumber(r):
		default:
			n = run(text[at:], func(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsLetter(r) && !unicode.IsNumber(r) })
		}
		yield(text[at : at+n])
		at += n
	}
}

var (
	markers      = []string{"<|startoftext|>", "<|endoftext|>"}
	contractions = []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}
)

// prefix returns the length of the first of the words that text begins with.
func prefix(text string, words []string) int {
	for _, w := range words {
		if strings.HasPrefix(text, w) {
			return len(w)
		}
	}
	return 0
}

// run returns the length of the longest prefix of text in which all runes are
// of a kind.
func run(text string, kind func(rune) bool) int {
	n := strings.IndexFunc(text, func(r rune) bool { return !kind(r) })
	if n < 0 {
		return len(text)
	}
	return n
}

// fold returns a text composed (NFC) and in lower case. White space need not be
// replaced, since it only separates words.
func fold(text string) string {
	text = compose(text)
	// The only letter whose lower case is two runes wherever it stands.
	text = strings.ReplaceAll(text, "\u0130", "i\u0307")
	return strings.Map(unicode.ToLower, text)
}
