package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/coclico/coclico/weights/hub"
)

// TextVar is the environment variable that names the folder of the text tower,
// if it is not the user's own.
const TextVar = "COCLICO_TEXT"

// TextRepo returns the model whose text tower finds pictures by words.
func TextRepo() hub.Repo { return hub.Repo{Owner: "openai", Name: "clip-vit-large-patch14"} }

// TextWeights is the file of the text tower's weights, in its folder and on the
// hub.
const TextWeights = "model.safetensors"

// TextFiles returns the names of the other files that the text tower needs. A
// tower that transformers 5 has saved has tokenizer.json in place of the last two.
func TextFiles() []string { return []string{"config.json", "vocab.json", "merges.txt"} }

// TextDir returns the folder into which the text tower is pulled, which need
// not exist.
func TextDir(getenv func(string) string) (string, error) {
	if dir := getenv(TextVar); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for the text tower: set %s to a folder (%w)", TextVar, err)
	}
	return filepath.Join(dir, "coclico", "text"), nil
}

// FindText returns a folder with all files of the text tower, for [text.Open]:
// TextDir, or the hub's cache, if that has the whole model. It reports whether
// there is one.
//
// [text.Open]: https://pkg.go.dev/github.com/coclico/coclico/codec/text#Open
func FindText(getenv func(string) string) (dir string, ok bool) {
	if dir, err := TextDir(getenv); err == nil && hasText(dir) {
		return dir, true
	}
	cache, err := hub.CacheFromEnv(getenv)
	if err != nil {
		return "", false
	}
	if dir, err = cache.Folder(TextRepo(), hub.MainRevision); err == nil && hasText(dir) {
		return dir, true
	}
	return "", false
}

// hasText reports whether a folder has the text tower's files. Their contents
// are for those who open them to check.
func hasText(dir string) bool {
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			info, err := os.Stat(filepath.Join(dir, name))
			return err != nil || !info.Mode().IsRegular()
		})
	}
	return has("config.json", TextWeights) && (has("vocab.json", "merges.txt") || has("tokenizer.json"))
}
