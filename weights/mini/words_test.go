package mini

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestWords: every word is known, of one kind, and no two kinds are much alike.
// Bounds of cosines lie just above the committed vectors': a picture cannot be
// told from another kind's by words whose directions are nearly the same.
func TestWords(t *testing.T) {
	seen := map[string]string{}
	var all [][]float32
	for _, k := range kinds {
		for _, w := range k {
			if seen[w] != "" {
				t.Errorf("%s is both %s and %s", w, seen[w], k[0])
			}
			seen[w] = k[0]
			v, err := Words("A photo of the " + strings.ToUpper(w))
			if err != nil || len(v) != 768 {
				t.Fatalf("%s: %d numbers (%v)", w, len(v), err)
			}
			if name := strings.ReplaceAll(k[0], "_", " "); !slices.Equal(words(t, name), v) {
				t.Errorf("the words %s have another direction than %s", name, w)
			}
			if w == k[0] {
				all = append(all, v)
			}
		}
	}
	for i, a := range all {
		for j, b := range all[:i] {
			bound := 0.55 // 0.51, of canyon and dunes, is the most of the others
			if kinds[j][0] == "meadow_flowers" && kinds[i][0] == "river" {
				bound = 0.88 // it is 0.86: both are flat, green and under a wide sky
			}
			if c := cosine(a, b); c > bound {
				t.Errorf("%s and %s have a cosine of %.2f, more than %.2f", kinds[i][0], kinds[j][0], c, bound)
			}
		}
	}
	snow, night, both := words(t, "snow"), words(t, "night"), words(t, "snow, at night")
	for i, v := range both {
		if v != snow[i]+night[i] {
			t.Fatalf("number %d of snow at night is %v, not the sum %v of those of snow and night", i, v, snow[i]+night[i])
		}
	}
}

func words(t *testing.T, text string) []float32 {
	t.Helper()
	v, err := Words(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

func TestUnknownWords(t *testing.T) {
	for text, want := range map[string]string{
		"a cat in the snow": `does not know "cat"; it knows sea dusk, mountain lake,`,
		"a photo of the":    `does not know "a photo of the"; it knows`,
		"":                  `does not know ""; it knows`,
		"forêt":             `does not know "forêt"`,
	} {
		_, err := Words(text)
		if !errors.As(err, new(UnknownWordsError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
