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
	"log"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/coclico/coclico/bench/folder"
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
	paths, err := folder.Pictures(dir)
	if err != nil {
		return err
	}
	named := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !strings.Contains(filepath.Base(path), "-") })
	if len(named) <= found {
		return fmt.Errorf("%s: %d pictures named KIND-NUMBER, more than %d are needed", dir, len(named), found)
	}
	log.Printf("%d of %d pictures are named KIND-NUMBER", len(named), len(paths))
	pictures, err := encode(ctx, c, prior, named)
	if err != nil {
		return err
	}
	truth := scan(pictures)
	fmt.Println("| files | search | recall@10 | by file | same kind, by picture | same kind, by words |\n|---|---|---|---|---|---|")
	m := measurement{pictures: pictures, truth: truth, prior: prior}
	if err := m.row(ctx, -1, "all vectors", func(_ context.Context, q []float32, k int) ([]string, error) {
		return nearest(pictures, q, k), nil
	}); err != nil {
		return err
	}
	for _, profile := range []codec.Profile{codec.Paper, codec.Tuned} {
		if err := m.profile(ctx, profile); err != nil {
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
	img, err := folder.Read(path)
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

// A measurement is of ways to search pictures.
type measurement struct {
	pictures []picture
	truth    []map[string]bool // of each picture, see scan
	prior    format.Prior
}

// profile puts the files of a profile into an archive and searches it.
func (m *measurement) profile(ctx context.Context, profile codec.Profile) error {
	dir, err := os.MkdirTemp("", "recall")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	a, err := store(dir, profile, m.pictures)
	if err != nil {
		return err
	}
	defer a.Close()
	set, err := search.Open(ctx, a, m.prior, search.Options{Dir: filepath.Join(dir, search.Folder)})
	if err != nil {
		return err
	}
	defer set.Close()
	if set.Counts.Codes != int64(len(m.pictures)) {
		return fmt.Errorf("%d of %d files have a code", set.Counts.Codes, len(m.pictures))
	}
	for _, by := range []struct {
		name  string
		query func(k int) search.Query
	}{
		// With no more candidates than hits, the first stage alone chooses.
		{"Hamming distance", func(k int) search.Query { return search.Query{Candidates: k, Decoded: -1} }},
		{"two stages", func(int) search.Query { return search.Query{Decoded: -1} }},
		{"three stages", func(int) search.Query { return search.Query{} }},
	} {
		err := m.row(ctx, int(profile), by.name, func(ctx context.Context, q []float32, k int) ([]string, error) {
			query := by.query(k)
			query.Vector, query.K = q, k
			hits, err := set.Search(ctx, query)
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

// A finder returns the names of the k pictures nearest to a query.
type finder func(ctx context.Context, q []float32, k int) ([]string, error)

// row prints how well a way to search the files of a profile, -1 for none, finds
// what it should.
func (m *measurement) row(ctx context.Context, profile int, way string, find finder) error {
	recall, same, err := m.byPicture(ctx, find, func(p *picture) ([]float32, error) { return p.vector, nil })
	if err != nil {
		return err
	}
	files, byFile := "none", "-"
	if profile >= 0 {
		files = codec.Profile(profile).String()
		recall, _, err := m.byPicture(ctx, find, func(p *picture) ([]float32, error) {
			q, err := search.FileQuery(p.files[profile], m.prior)
			return q.Vector, err
		})
		if err != nil {
			return err
		}
		byFile = fmt.Sprintf("%.3f", recall)
	}
	named, err := m.byWords(ctx, find)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("| %s | %s | %.3f | %s | %.1f %% | %.1f %% |\n", files, way, recall, byFile, 100*same, 100*named)
	return err
}

// byPicture searches for each picture, by a vector that query returns. recall is
// the share that is found of those nearest by all vectors, same the share of what
// is found that is of the picture's kind.
func (m *measurement) byPicture(ctx context.Context, find finder, query func(*picture) ([]float32, error)) (recall, same float64, err error) {
	kind := map[string]string{}
	for _, p := range m.pictures {
		kind[p.name] = p.kind
	}
	n := float64(found * len(m.pictures))
	for i := range m.pictures {
		p := &m.pictures[i]
		q, err := query(p)
		if err != nil {
			return 0, 0, err
		}
		names, err := find(ctx, q, found+1)
		if err != nil {
			return 0, 0, err
		}
		for _, name := range others(names, p.name) {
			if m.truth[i][name] {
				recall += 1 / n
			}
			if kind[name] == p.kind {
				same += 1 / n
			}
		}
	}
	return recall, same, nil
}

// byWords searches for each kind by its words, and returns the share of what is
// found that is of that kind.
func (m *measurement) byWords(ctx context.Context, find finder) (share float64, err error) {
	var kinds []string
	kind := map[string]string{}
	for _, p := range m.pictures {
		kind[p.name] = p.kind
		if !slices.Contains(kinds, p.kind) {
			kinds = append(kinds, p.kind)
		}
	}
	for _, k := range kinds {
		words, err := mini.Words(strings.ReplaceAll(k, "_", " "))
		if err != nil {
			return 0, err
		}
		names, err := find(ctx, search.Direction(words, m.prior), found)
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			if kind[name] == k {
				share += 1 / float64(found*len(kinds))
			}
		}
	}
	return share, nil
}
