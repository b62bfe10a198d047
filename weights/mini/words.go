package mini

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/coclico/coclico/weights"
)

// The mean vectors of the kinds of scene, less the model's mean; see
// train/words.py.
//
//go:embed words.safetensors
var wordVectors []byte

// kinds are the words for each kind of scene that the model knows, the kind's
// own name, as the training has it, first.
var kinds = [][]string{
	{"sea_dusk", "sea", "ocean", "dusk", "sunset", "sunrise", "dawn"},
	{"mountain_lake", "lake", "mountain", "mountains", "alps", "peak", "peaks"},
	{"forest", "woods", "wood", "woodland", "trees"},
	{"dunes", "dune", "desert", "sahara"},
	{"fields", "field", "farm", "farmland", "countryside"},
	{"skyline", "city", "town", "buildings", "skyscrapers", "houses"},
	{"snow", "winter", "snowy", "ice"},
	{"night_moon", "night", "moon", "moonlight", "stars"},
	{"storm", "lightning", "thunderstorm", "thunder"},
	{"canyon", "gorge", "cliffs", "rocks"},
	{"beach", "coast", "shore", "sand", "palms"},
	{"meadow_flowers", "meadow", "flowers", "flower", "poppies"},
	{"waterfall", "cascade", "waterfalls"},
	{"river", "stream", "creek", "brook"},
}

// small are words that say nothing of a scene.
var small = []string{"a", "an", "the", "at", "in", "on", "of", "with", "and", "by", "to", "over", "some", "picture", "photo", "photograph", "image", "scene", "landscape", "view"}

// Kinds returns the words for the kinds of scene that the model knows, the
// first of each.
func Kinds() []string {
	var list []string
	for _, k := range kinds {
		list = append(list, strings.ReplaceAll(k[0], "_", " "))
	}
	return list
}

// An UnknownWordsError reports words that the model knows no scene for.
type UnknownWordsError []string

func (e UnknownWordsError) Error() string {
	return fmt.Sprintf("the built-in model does not know %s; it knows %s", quoted(e), strings.Join(Kinds(), ", "))
}

func quoted(words []string) string {
	var list []string
	for _, w := range words {
		list = append(list, fmt.Sprintf("%q", w))
	}
	return strings.Join(list, ", ")
}

// Words returns the direction in which pictures of a text lie from the mean of
// the model's vectors: the mean of the kinds of scene that its words name. The
// error is an UnknownWordsError.
func Words(text string) ([]float32, error) {
	store, err := weights.ReadSafetensors("words.safetensors", wordVectors)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	var sum []float32
	var unknown UnknownWordsError
	named := map[int]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !('a' <= r && r <= 'z') && r != '\'' && r < 128 }) {
		i := slices.IndexFunc(kinds, func(k []string) bool {
			return slices.Contains(k, w) || slices.Contains(strings.Split(k[0], "_"), w)
		})
		if i < 0 {
			if !slices.Contains(small, w) {
				unknown = append(unknown, w)
			}
			continue
		}
		if named[i] {
			continue // "sea dusk" is one kind
		}
		named[i] = true
		t, ok := store.Lookup(kinds[i][0])
		if !ok {
			return nil, fmt.Errorf("words.safetensors: no %s", kinds[i][0])
		}
		v := t.Float32s()
		if sum == nil {
			sum = make([]float32, len(v))
		}
		for j, x := range v {
			sum[j] += x
		}
	}
	switch {
	case unknown != nil:
		return nil, unknown
	case sum == nil:
		return nil, UnknownWordsError{text}
	}
	return sum, nil
}
