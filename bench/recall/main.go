// Recall measures how well an archive is searched: in pictures named by their
// kind, whether those nearest by their files are those nearest by the vectors
// that the image encoder computed, and whether they are of the same kind.
//
//	python weights/mini/train/held.py DIR     2,000 scenes that the built-in model has not seen
//	go run ./bench/recall -pictures DIR
//
// A picture's kind is its name up to the last "-". Each picture is a query for
// the ten others nearest to it, and each kind's words for ten pictures. The words
// are those of the built-in model.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"log"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/search"
	"github.com/coclico/coclico/weights/mini"
)

// found is how many pictures are searched for.
const found = 10

func main() {
	log.SetFlags(0)
	dir := flag.String("pictures", "", "folder of PNG and JPEG pictures named KIND-NUMBER")
	flag.Parse()
	if err := run(context.Background(), *dir); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dir string) error {
	c, err := codec.BuiltIn()
	if err != nil {
		return err
	}
	defer c.Close()
	prior, err := c.Prior()
	if err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*-*.*g"))
	if err != nil {
		return err
	}
	if len(names) <= found {
		return fmt.Errorf("%s: %d pictures named KIND-NUMBER, more than %d are needed", dir, len(names), found)
	}
	slices.Sort(names)
	pictures, err := encode(ctx, c, prior, names)
	if err != nil {
		return err
	}
	truth := scan(pictures)
	fmt.Println("| files | search | recall@10 | same kind, by picture | same kind, by words |\n|---|---|---|---|---|")
	if err := row(ctx, "none", "all vectors", pictures, truth, prior, func(_ context.Context, q []float32, k int) ([]string, error) {
		return nearest(pictures, q, k), nil
	}); err != nil {
		return err
	}
	for _, profile := range []codec.Profile{codec.Paper, codec.Tuned} {
		if err := measure(ctx, profile, pictures, truth, prior); err != nil {
			return err
		}
	}
	return nil
}

// A picture is what is known of one.
type picture struct {
	name   string    // of its file
	kind   string    // what it shows
	vector []float32 // its CLIP vector, as deviations from the model's means
	length float64   // of the vector
	files  [2][]byte // by profile
}

// encode reads and encodes pictures, on all processors.
func encode(ctx context.Context, c *codec.Codec, prior format.Prior, names []string) ([]picture, error) {
	pictures, errs := make([]picture, len(names)), make([]error, len(names))
	work := make(chan int)
	var running sync.WaitGroup
	for range 8 * runtime.GOMAXPROCS(0) { // those that wait are the network's next batch
		running.Go(func() {
			for i := range work {
				pictures[i], errs[i] = newPicture(ctx, c, prior, names[i])
			}
		})
	}
	for i := range names {
		work <- i
	}
	close(work)
	running.Wait()
	return pictures, errors.Join(errs...)
}

func newPicture(ctx context.Context, c *codec.Codec, prior format.Prior, path string) (picture, error) {
	img, err := readPicture(path)
	if err != nil {
		return picture{}, err
	}
	vector, files, err := encodePicture(ctx, c, prior, img)
	if err != nil {
		return picture{}, fmt.Errorf("%s: %w", path, err)
	}
	p := newPictureOf(filepath.Base(path), vector)
	p.files = files
	return p, nil
}

// newPictureOf returns a picture without files.
func newPictureOf(name string, vector []float32) picture {
	kind := name[:max(strings.LastIndexByte(name, '-'), 0)]
	return picture{name: name, kind: kind, vector: vector, length: math.Sqrt(dot(vector, vector))}
}

func readPicture(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

// encodePicture returns a picture's vector, as deviations from the model's
// means, and its files by profile.
func encodePicture(ctx context.Context, c *codec.Codec, prior format.Prior, img image.Image) (vector []float32, files [2][]byte, err error) {
	for profile := range files {
		e, err := c.Embed(ctx, img, &codec.EncodeOptions{Profile: codec.Profile(profile)})
		if err != nil {
			return nil, files, err
		}
		if files[profile], err = e.Encode(ctx); err != nil {
			return nil, files, err
		}
		vector = search.Deviations(e.Vector(), prior)
	}
	return vector, files, nil
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// nearest returns the names of the k pictures whose vectors have the largest
// cosine with q.
func nearest(pictures []picture, q []float32, k int) []string {
	type scored struct {
		name  string
		score float64
	}
	all := make([]scored, len(pictures))
	for i, p := range pictures {
		all[i] = scored{p.name, dot(q, p.vector) / p.length}
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	names := make([]string, k)
	for i := range names {
		names[i] = all[i].name
	}
	return names
}

// scan returns, for each picture, the names of the others nearest to it.
func scan(pictures []picture) []map[string]bool {
	all := make([]map[string]bool, len(pictures))
	for i, p := range pictures {
		all[i] = map[string]bool{}
		for _, name := range others(nearest(pictures, p.vector, found+1), p.name) {
			all[i][name] = true
		}
	}
	return all
}

// others returns the first names of a list that are not a picture's own.
func others(list []string, own string) []string {
	list = slices.DeleteFunc(list, func(name string) bool { return name == own })
	return list[:min(found, len(list))]
}

// measure puts the files of a profile into an archive and searches it.
func measure(ctx context.Context, profile codec.Profile, pictures []picture, truth []map[string]bool, prior format.Prior) error {
	dir, err := os.MkdirTemp("", "recall")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	a, err := store(dir, profile, pictures)
	if err != nil {
		return err
	}
	defer a.Close()
	set, err := search.Open(ctx, a, prior, search.Options{Dir: filepath.Join(dir, search.Folder)})
	if err != nil {
		return err
	}
	defer set.Close()
	if set.Counts.Codes != int64(len(pictures)) {
		return fmt.Errorf("%d of %d files have a code", set.Counts.Codes, len(pictures))
	}
	// With no more candidates than hits, the first stage alone chooses.
	for _, by := range []struct {
		name       string
		candidates func(k int) int
	}{
		{"Hamming distance", func(k int) int { return k }},
		{"two stages", func(int) int { return 0 }},
	} {
		err := row(ctx, profile.String(), by.name, pictures, truth, prior, func(ctx context.Context, q []float32, k int) ([]string, error) {
			hits, err := set.Search(ctx, search.Query{Vector: q, K: k, Candidates: by.candidates(k)})
			names := make([]string, len(hits))
			for i, h := range hits {
				names[i] = h.Row.Name
			}
			return names, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// store makes an archive of the files of a profile.
func store(dir string, profile codec.Profile, pictures []picture) (*archive.Archive, error) {
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}})
	if err != nil {
		return nil, err
	}
	for _, p := range pictures {
		if err := w.Add(&archive.Row{Name: p.name, Data: p.files[profile]}); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return archive.Open(dir)
}

// row prints how well a way to search finds what it should.
func row(ctx context.Context, files, way string, pictures []picture, truth []map[string]bool, prior format.Prior, find func(ctx context.Context, q []float32, k int) ([]string, error)) error {
	var kinds []string
	kind := map[string]string{}
	for _, p := range pictures {
		kind[p.name] = p.kind
		if !slices.Contains(kinds, p.kind) {
			kinds = append(kinds, p.kind)
		}
	}
	var right, same, named int
	for i, p := range pictures {
		names, err := find(ctx, p.vector, found+1)
		if err != nil {
			return err
		}
		for _, name := range others(names, p.name) {
			if truth[i][name] {
				right++
			}
			if kind[name] == p.kind {
				same++
			}
		}
	}
	for _, k := range kinds {
		words, err := mini.Words(strings.ReplaceAll(k, "_", " "))
		if err != nil {
			return err
		}
		names, err := find(ctx, search.Direction(words, prior), found)
		if err != nil {
			return err
		}
		for _, name := range names {
			if kind[name] == k {
				named++
			}
		}
	}
	n := float64(found * len(pictures))
	_, err := fmt.Printf("| %s | %s | %.3f | %.1f %% | %.1f %% |\n", files, way, float64(right)/n, 100*float64(same)/n, 100*float64(named)/float64(found*len(kinds)))
	return err
}
