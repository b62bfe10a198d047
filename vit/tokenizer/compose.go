package tokenizer

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// compose returns a text's NFC. Package norm also makes it stream-safe, with a
// U+034F after each 30 combining marks in a row, which NFC has not.
func compose(text string) string {
	const joiner = "\u034f"
	composed := norm.NFC.String(text)
	if strings.Count(composed, joiner) == strings.Count(text, joiner) {
		return composed
	}
	return composeAny(text)
}

// composeAny is NFC by its definition: all runes decomposed, the combining
// marks in a row sorted by their class, and each of them composed with the
// starter before it unless a mark of its class or a higher one stands between.
func composeAny(text string) string {
	var out []rune
	for marks := decompose(text); len(marks) > 0; {
		if class(marks[0]) == 0 {
			out, marks = appendStarter(out, marks[0]), marks[1:]
		}
		n := slices.IndexFunc(marks, func(r rune) bool { return class(r) == 0 })
		if n < 0 {
			n = len(marks)
		}
		slices.SortStableFunc(marks[:n], func(a, b rune) int { return class(a) - class(b) })
		out, marks = appendMarks(out, marks[:n]), marks[n:]
	}
	return string(out)
}

// decompose returns the runes of a text, each decomposed by itself.
func decompose(text string) []rune {
	var runes []rune
	for _, r := range text {
		if r < 0xc0 {
			runes = append(runes, r)
			continue
		}
		runes = append(runes, []rune(norm.NFD.String(string(r)))...)
	}
	return runes
}

// appendStarter appends a starter, or composes it with a starter directly
// before it, as those of Hangul syllables are.
func appendStarter(out []rune, r rune) []rune {
	if n := len(out); n > 0 && class(out[n-1]) == 0 {
		if c, ok := composite(out[n-1], r); ok {
			out[n-1] = c
			return out
		}
	}
	return append(out, r)
}

// appendMarks appends sorted marks, each composed with the last starter where
// that is possible.
func appendMarks(out []rune, marks []rune) []rune {
	starter, last := len(out)-1, 0
	if starter < 0 {
		return append(out, marks...) // at the beginning of a text
	}
	for _, m := range marks {
		if k := class(m); last < k {
			if c, ok := composite(out[starter], m); ok {
				out[starter] = c
				continue
			}
			last = k
		}
		out = append(out, m)
	}
	return out
}

// class returns a rune's canonical combining class: 0 for a starter.
func class(r rune) int {
	if r < 0x300 {
		return 0
	}
	return int(norm.NFD.PropertiesString(string(r)).CCC())
}

// composite returns the rune that a and b compose to, if there is one.
func composite(a, b rune) (rune, bool) {
	if b < 0x300 || norm.NFC.PropertiesString(string(b)).BoundaryBefore() {
		return 0, false // b never composes with what stands before it
	}
	s := []rune(norm.NFC.String(string([]rune{a, b})))
	return s[0], len(s) == 1
}
