package iqa

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// synthetic1 is shared by the tests: its weights take a second.
var synthetic1 = sync.OnceValue(func() *Set { return Synthetic(1) })

// TestSet rates a pair with all metrics and compares the scores with the golden
// cases, on several goroutines at once.
func TestSet(t *testing.T) {
	set := synthetic1()
	p, q := open(t, "lpips/64x64_noise").picture("image0"), open(t, "lpips/64x64_noise").picture("image1")
	one := open(t, "dbcnn/64x64").picture("image")
	narrow := open(t, "musiq/8x96").picture("image")
	var wg sync.WaitGroup
	for _, c := range []struct {
		metric, file, tensor string
		reference, picture   *Picture
	}{
		{"LPIPS-vgg", "lpips/64x64_noise", "vgg/score", p, q},
		{"LPIPS-alex", "lpips/64x64_noise", "alex/score", p, q},
		{"DISTS", "dists/64x64_noise", "score", p, q},
		{"DBCNN", "dbcnn/64x64", "score", nil, one},
		{"MUSIQ", "musiq/8x96", "score", nil, narrow},
		{"MUSIQ-spaq", "musiq/8x96", "score", nil, narrow}, // by the law, all are the same network
		{"MUSIQ-ava", "musiq/8x96", "ava_score", nil, narrow},
	} {
		m := set.Find(c.metric)
		if m == nil {
			t.Fatalf("no metric %s", c.metric)
		}
		g := open(t, c.file)
		for range 2 {
			wg.Go(func() {
				score, err := m.Score(context.Background(), nn.Exact, c.reference, c.picture)
				if err != nil {
					t.Errorf("%s: %v", m.Name, err)
					return
				}
				if m.Name == "DBCNN" {
					score /= 100
				}
				g.scored(c.tensor, score, scoreBound)
			})
		}
	}
	wg.Wait()
	if len(set.Missing) > 0 {
		t.Errorf("metrics are missing: %v", set.Missing)
	}
}

// TestFast bounds the error of bfloat16 by PyTorch's own, which measured.tsv of
// bench/golden/iqa.py has.
func TestFast(t *testing.T) {
	set := synthetic1()
	g := open(t, "dbcnn/200x160")
	score, err := set.Find("DBCNN").Score(context.Background(), nn.Fast, nil, g.picture("image"))
	if err != nil {
		t.Fatal(err)
	}
	g.scored("score", score/100, 6e-3)
	g = open(t, "musiq/96x64")
	if score, err = set.Find("MUSIQ").Score(context.Background(), nn.Fast, nil, g.picture("image")); err != nil {
		t.Fatal(err)
	}
	g.scored("score", score, 6e-2)
}

func TestSizes(t *testing.T) {
	set := synthetic1()
	gray := func(w, h int) *Picture { return &Picture{w, h, bytes.Repeat([]byte{128}, 3*w*h)} }
	for _, m := range set.Metrics {
		side := m.minSide
		if _, err := m.Score(context.Background(), nn.Exact, gray(side, side), gray(side, side)); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if side > 1 {
			_, err := m.Score(context.Background(), nn.Exact, gray(side-1, side), gray(side-1, side))
			if !errors.As(err, new(SizeError)) || !strings.Contains(err.Error(), "too small") {
				t.Errorf("%s of a picture that is too small: %v", m.Name, err)
			}
		}
		if m.Reference {
			if _, err := m.Score(context.Background(), nn.Exact, gray(200, 201), gray(201, 200)); !errors.Is(err, errSizes) {
				t.Errorf("%s of pictures of different sizes: %v", m.Name, err)
			}
		}
	}
	if _, err := set.Find("MUSIQ").Score(context.Background(), nn.Exact, nil, gray(1, 1000)); err == nil || !strings.Contains(err.Error(), "narrow") {
		t.Errorf("a picture that vanishes: %v", err)
	}
	large := &Picture{W: MaxPixels + 1, H: 1, Pix: make([]byte, 3*(MaxPixels+1))}
	if _, err := set.Find("PSNR").Score(context.Background(), nn.Exact, large, large); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a picture that is too large: %v", err)
	}
}

// TestNaN: a score that is not a number is an error that names the weights.
func TestNaN(t *testing.T) {
	m := &Metric{Name: "DBCNN", Origin: Origin{File: "a.safetensors"}, minSide: 1,
		score: alone(func(context.Context, *nn.Workspace, *Picture) (float64, error) { return math.NaN(), nil })}
	_, err := m.Score(context.Background(), nn.Exact, nil, &Picture{1, 1, make([]byte, 3)})
	if err == nil || err.Error() != "DBCNN: the score is not a number: the weights in a.safetensors are not usable" {
		t.Errorf("error %v", err)
	}
}

// TestCancel stops every network at each check of its context.
func TestCancel(t *testing.T) {
	p := &Picture{168, 161, bytes.Repeat([]byte{1, 2, 3}, 168*161)}
	for _, m := range synthetic1().Metrics {
		if m.Name == "PSNR" {
			continue
		}
		for _, n := range []int{0, 1, 4} {
			if _, err := m.Score(nntest.Countdown(n), nn.Exact, p, p); !errors.Is(err, context.Canceled) {
				t.Errorf("%s, canceled at check %d: %v", m.Name, n, err)
			}
		}
	}
}

// writeSynthetic writes the weights of a source with the values of the law.
func writeSynthetic(t *testing.T, path string, src source, change func(specs []weights.Spec) []weights.Spec) {
	t.Helper()
	r := weights.Recorder()
	src.build(r.Scope(), Origin{})
	store := synthetic(1, func(s *weights.Scope) { src.build(s, Origin{}) })
	specs := change(r.Requested())
	for i := range specs {
		if t, ok := store.Lookup(specs[i].Name); ok {
			specs[i].DType = t.DType
		}
	}
	err := weights.WriteFile(path, func(w io.Writer) error {
		return weights.WriteSafetensors(w, specs, func(i int, w io.Writer) error {
			data := make([]byte, specs[i].DType.Size())
			if t, ok := store.Lookup(specs[i].Name); ok {
				data = t.Data
			}
			_, err := w.Write(data)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	src := newSet().sources(heads{})[2] // DBCNN
	path := filepath.Join(dir, "DBCNN_KonIQ10k-2de81c0a.safetensors")
	writeSynthetic(t, path, src, func(specs []weights.Spec) []weights.Spec {
		// As in the published file; nobody reads it.
		return append(specs, weights.Spec{Name: "features2.1.num_batches_tracked", DType: weights.U8})
	})
	set, err := Open(context.Background(), filepath.Join(dir, "none"), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	m := set.Find("DBCNN")
	if m == nil || m.File != path || len(m.Version) != 8 {
		t.Fatalf("DBCNN is %+v", m)
	}
	g := open(t, "dbcnn/64x64")
	score, err := m.Score(context.Background(), nn.Exact, nil, g.picture("image"))
	if err != nil {
		t.Fatal(err)
	}
	g.scored("score", score/100, scoreBound)
	want := []Missing{{"LPIPS-vgg", "vgg16"}, {"DISTS", "vgg16"}, {"LPIPS-alex", "alexnet"}, {"MUSIQ", "musiq_koniq_ckpt"},
		{"MUSIQ-spaq", "musiq_spaq_ckpt"}, {"MUSIQ-ava", "musiq_ava_ckpt"}, {"aesthetics", "sac+logos+ava1"}}
	if !slices.Equal(set.Missing, want) {
		t.Errorf("missing are %v, want %v", set.Missing, want)
	}

	older := filepath.Join(t.TempDir(), "DBCNN_KonIQ10k-"+rawDBCNN+".safetensors")
	writeSynthetic(t, older, src, func(specs []weights.Spec) []weights.Spec { return specs })
	raw, err := Open(context.Background(), filepath.Dir(older), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if score, err = raw.Find("DBCNN").Score(context.Background(), nn.Exact, nil, g.picture("image")); err != nil {
		t.Fatal(err)
	}
	g.scored("score", score, scoreBound)

	writeSynthetic(t, path, src, func(specs []weights.Spec) []weights.Spec { return specs[:len(specs)-1] })
	if _, err := Open(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "fc.bias") {
		t.Errorf("a file without fc.bias: %v", err)
	}
	writeSynthetic(t, path, src, func(specs []weights.Spec) []weights.Spec { return specs })
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[len(data)-4:], "\xff\xff\xff\xff") // no number, in any precision
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), dir); err == nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("a file with a value that is not a number: %v", err)
	}
	if err := os.WriteFile(path, []byte("not safetensors"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), dir); err == nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("a file of something else: %v", err)
	}
}

// TestHeads compares sums of the bundled heads with those of the published
// files.
func TestHeads(t *testing.T) {
	store, err := weights.ReadSafetensors("heads", headsFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]float64{
		"alex.lin": {2.349532, 16.143027, 39.268439, 27.197178, 20.317177},
		"vgg.lin":  {6.925992, 8.858334, 17.515006, 51.521323, 47.034854},
		"dists.":   {.876050, .123950},
	} {
		names := []string{"0.model.1.weight", "1.model.1.weight", "2.model.1.weight", "3.model.1.weight", "4.model.1.weight"}
		if name == "dists." {
			names = []string{"alpha", "beta"}
		}
		for i, n := range names {
			x, ok := store.Lookup(name + n)
			sum := 0.
			for _, v := range x.Float32s() {
				sum += float64(v)
			}
			if !ok || sum < want[i]-1e-5 || sum > want[i]+1e-5 {
				t.Errorf("%s%s: sum %v, want %v", name, n, sum, want[i])
			}
		}
	}
}
