package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/search"
	"github.com/coclico/coclico/codec/text"
)

// TestSearchText searches the archive of a model other than the built-in one by
// words, with CLIP's text tower.
func TestSearchText(t *testing.T) {
	model := atHome(t)
	tower := filepath.Join(t.TempDir(), "text")
	t.Setenv(catalog.TextVar, tower)
	pictures := t.TempDir()
	for _, name := range sceneNames {
		data, err := os.ReadFile(scenePath(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(pictures, name+".png"), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "A")
	if r := coclico(t, "archive", "create", pictures, "-o", dir, "--model", model); r.status != process.OK {
		t.Fatalf("%+v", r)
	}
	args := func(words string) []string { return []string{"search", dir, "--text", words, "--model", model} }
	fail(t, process.Failed, []string{"coclico pull --for search"}, args("a boat")...)

	c, err := codec.Open(model)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	prior, err := c.Prior()
	if err != nil {
		t.Fatal(err)
	}
	n := len(prior.Moments)
	if err := os.Mkdir(tower, 0o777); err != nil {
		t.Fatal(err)
	}
	writeCLIP(t, tower, n+1)
	fail(t, process.Failed, []string{tower, fmt.Sprintf("words have %d dimensions", n+1)}, args("a boat")...)
	if err := os.RemoveAll(tower); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(tower, 0o777); err != nil {
		t.Fatal(err)
	}
	writeCLIP(t, tower, n)
	e, err := text.Open(t.Context(), tower)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	orders := map[string]bool{}
	for _, words := range []string{"a boat at dusk", "trees", "the moon over houses"} {
		v, err := e.Direction(t.Context(), words)
		if err != nil {
			t.Fatal(err)
		}
		q := search.Direction(v, prior)
		scores := map[string]float64{}
		for _, name := range sceneNames {
			out := filepath.Join(t.TempDir(), name+streamExt)
			succeed(t, "encode", scenePath(name), "-o", out, "--model", model)
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			file, err := search.FileQuery(data, prior)
			if err != nil {
				t.Fatal(err)
			}
			x, product, length := file.Vector, 0.0, 0.0
			for i := range x {
				product += float64(q[i]) * float64(x[i])
				length += float64(x[i]) * float64(x[i])
			}
			scores[name+".png"] = product / math.Sqrt(length)
		}
		var got []string
		for line := range strings.Lines(succeed(t, args(words)...)) {
			got = append(got, strings.Fields(line)[1])
		}
		want := slices.Clone(got)
		slices.SortStableFunc(want, func(a, b string) int { return cmp.Compare(scores[b], scores[a]) })
		if len(got) != len(sceneNames) || !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", words, got, want)
		}
		orders[fmt.Sprint(got)] = true
	}
	if len(orders) == 1 {
		t.Error("all words find the same")
	}
}
