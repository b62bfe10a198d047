package codec

import (
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/internal/hook"
)

// encodeJudged encodes with candidates, and returns the judgments too.
func encodeJudged(t *testing.T, c *Codec, img image.Image, o EncodeOptions) (*File, []Judgment) {
	t.Helper()
	var all []Judgment
	o.Judged = func(j Judgment) { all = append(all, j) }
	data, err := c.Encode(t.Context(), img, &o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f, all
}

// TestCandidates: a search judges what Decode will paint, keeps the best of the
// last round, and changes a file by one byte.
func TestCandidates(t *testing.T) {
	c := builtIn(t)
	c.KeepNetworks = true
	photo := readPicture(t, "testdata/photos/cat.jpg")
	vector, _ := seen(t, c, photo)
	for name, o := range map[string]EncodeOptions{
		"tuned":  {Profile: Tuned},
		"paper":  {},
		"whole":  {Profile: Tuned, Whole: true},
		"budget": {Profile: Tuned, Bytes: 90},
		"seed":   {Profile: Tuned, Sampling: &Sampling{Steps: 6, Guidance: 3, Strength: 0.9, Seed: 1<<64 - 2, ColorGuidance: 0.5}},
	} {
		o.Candidates = 5
		f, judged := encodeJudged(t, c, photo, o)
		steps := judged[0].Steps
		var last []Judgment
		for _, j := range judged {
			if j.Step == steps {
				last = append(last, j)
			}
		}
		if len(judged) != 5+3+2 || len(last) != 2 || steps != int(float64(f.Sampling().Steps)*f.Sampling().Strength) {
			t.Fatalf("%s: judgments %+v", name, judged)
		}
		best := slices.MinFunc(last, func(a, b Judgment) int {
			if a.Distance < b.Distance {
				return -1
			}
			return 1
		})
		base := DefaultSampling(o.Profile)
		if o.Sampling != nil {
			base = *o.Sampling
		}
		base.Seed += uint64(best.Candidate)
		if f.Candidate() != best.Candidate || f.Sampling() != base {
			t.Errorf("%s: candidate %d, sampling %+v, after %+v", name, f.Candidate(), f.Sampling(), judged)
		}
		img, err := c.Paint(t.Context(), f, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !o.Whole {
			again, _ := seen(t, c, img)
			if d := 1 - quant.Cosine(again, vector); d != best.Distance {
				t.Errorf("%s: the distance is %g, judged %g", name, d, best.Distance)
			}
			if s := quant.Score(scored(t, photo), scored(t, img)); s != best.AreaColorScore {
				t.Errorf("%s: the area color score is %g, judged %g", name, s, best.AreaColorScore)
			}
		}

		o.Candidates, o.Judged = 1, nil
		if o.Bytes != 0 {
			if f.Len() > o.Bytes {
				t.Errorf("%s: %d bytes", name, f.Len())
			}
			o.Bytes-- // a candidate counts
		}
		plain, err := c.Encode(t.Context(), photo, &o)
		if err != nil {
			t.Fatal(err)
		}
		rest := f.Bytes()[2:]
		if f.Candidate() > 0 {
			rest = rest[1:]
		}
		if !bytes.Equal(rest, plain[2:]) {
			t.Errorf("%s: the choice has changed more than the candidate", name)
		}
	}
}

// scored returns the pixels that the area color score compares.
func scored(t *testing.T, img image.Image) []float32 {
	t.Helper()
	rgb, side, err := quant.CenterSquare(img)
	if err != nil {
		t.Fatal(err)
	}
	return quant.Average(rgb, side, side, quant.ScoreSide)
}

// TestCandidateTies: where all candidates paint the same, since no step is run,
// the first one is kept, for no byte. It is judged by what Decode paints.
func TestCandidateTies(t *testing.T) {
	c := open(t, "tiny")
	o := EncodeOptions{Sampling: sampling(20), Candidates: 3}
	o.Sampling.Strength = 0
	img := testPicture(64, 64)
	f, judged := encodeJudged(t, c, img, o)
	if f.Candidate() != 0 || judged[0].Distance != judged[1].Distance || judged[0].Steps != 0 {
		t.Errorf("candidate %d after %+v", f.Candidate(), judged)
	}
	painted, err := c.Paint(t.Context(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	vector, _ := seen(t, c, img)
	again, _ := seen(t, c, painted)
	if d := 1 - quant.Cosine(again, vector); d != judged[0].Distance {
		t.Errorf("the distance is %g, judged %g", d, judged[0].Distance)
	}
}

// TestInterruptedCandidates: what a context leaves is a whole file, with the
// best candidate of the last judgment.
func TestInterruptedCandidates(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(64, 64)
	o := EncodeOptions{Sampling: sampling(6), Candidates: 4}
	_, all := encodeJudged(t, c, img, o)
	first := slices.MinFunc(all[:4], func(a, b Judgment) int {
		if a.Distance < b.Distance {
			return -1
		}
		return 1
	}).Candidate
	for name, want := range map[string]int{"before": 0, "within": -1, "after": first} {
		ctx, stop := context.WithCancel(t.Context())
		judged := 0
		var two []Judgment
		o.Progress = func(p Progress) {
			if name == "before" && p.Stage == StageCandidates && p.Step == 2 || name == "within" && judged == 2 || name == "after" && judged == 4 && p.Step == 9 {
				stop()
			}
		}
		o.Judged = func(j Judgment) { judged++; two = append(two, j) }
		data, err := c.Encode(ctx, img, &o)
		if err != context.Canceled || data == nil {
			t.Fatalf("%s: %d bytes, %v", name, len(data), err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if name == "within" {
			want = 0
			if two[1].Distance < two[0].Distance {
				want = 1
			}
		}
		if f.Candidate() != want {
			t.Errorf("%s: candidate %d after %+v, want %d", name, f.Candidate(), two, want)
		}
		if _, err := c.Vector(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if data, err := c.Encode(ctx, img, &o); data != nil || err != context.Canceled {
		t.Errorf("canceled before: %d bytes, %v", len(data), err)
	}
}

// TestInterruptedLater: a later round that is not complete does not change what
// the rounds before have found.
func TestInterruptedLater(t *testing.T) {
	c := open(t, "tiny")
	img := testPicture(64, 64)
	for seed := range uint64(100) { // until one has the second round change the order
		o := EncodeOptions{Sampling: sampling(6), Candidates: 8}
		o.Sampling.Seed = seed
		_, all := encodeJudged(t, c, img, o)
		if all[8].Distance <= all[9].Distance {
			continue // sorting would not change the first one of the second round
		}
		ctx, stop := context.WithCancel(t.Context())
		judged := 0
		o.Judged = func(Judgment) {
			if judged++; judged == 10 {
				stop()
			}
		}
		data, err := c.Encode(ctx, img, &o)
		if err != context.Canceled || judged != 10 {
			t.Fatalf("%d judgments, error %v", judged, err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if f.Candidate() != all[8].Candidate {
			t.Errorf("candidate %d after %+v", f.Candidate(), all[:10])
		}
		return
	}
	t.Fatal("the second round never changes the order")
}

// TestCandidateTrace: the traced vector is the picture's, not a candidate's.
func TestCandidateTrace(t *testing.T) {
	c := open(t, "tiny")
	seen := map[string]int{}
	ctx := hook.With(t.Context(), hook.Hook{Trace: func(name string, _ []float32) { seen[name]++ }})
	if _, err := c.Encode(ctx, testPicture(64, 64), &EncodeOptions{Sampling: sampling(2), Candidates: 2}); err != nil {
		t.Fatal(err)
	}
	if seen["pixel_values"] != 1 || seen["image_embeds"] != 1 || seen["z_color"] != 1 {
		t.Errorf("traced %v", seen)
	}
}

// TestSortCandidates: the distance decides, then the colors, then the order.
func TestSortCandidates(t *testing.T) {
	field := []*candidate{
		{number: 0, distance: 0.2, score: 0.1}, {number: 1, distance: 0.1, score: 0.3},
		{number: 2, distance: 0.1, score: 0.2}, {number: 3, distance: 0.1, score: 0.2},
	}
	sortCandidates(field)
	for i, want := range []int{2, 3, 1, 0} {
		if field[i].number != want {
			t.Errorf("place %d has candidate %d, want %d", i, field[i].number, want)
		}
	}
}

// TestNoDecoder: half a model is refused before any work.
func TestNoDecoder(t *testing.T) {
	dir, half := t.TempDir(), t.TempDir()
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"image_encoder", "feature_extractor", "image_normalizer"} {
		if err := os.Symlink(filepath.Join(dir, part), filepath.Join(half, part)); err != nil {
			t.Skip(err)
		}
	}
	c, err := Open(half)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o := &EncodeOptions{Candidates: 2, Progress: func(p Progress) { t.Errorf("progress %v", p) }}
	if _, err := c.Encode(t.Context(), testPicture(40, 40), o); !errors.Is(err, ErrNoDecoder) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Encode(t.Context(), testPicture(40, 40), &EncodeOptions{Candidates: 1}); err != nil {
		t.Errorf("a single candidate: %v", err)
	}
}

func TestBadCandidates(t *testing.T) {
	c := open(t, "tiny")
	for _, o := range []EncodeOptions{{Candidates: -1}, {Candidates: MaxCandidates + 1}, {Candidates: 2, Raw: true}} {
		if _, err := c.Encode(t.Context(), testPicture(40, 40), &o); !errors.As(err, new(OptionError)) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestRounds: rounds halve the field, if there are steps enough, from a fifth
// of the steps to all of them, and cost about half of painting all candidates.
func TestRounds(t *testing.T) {
	if got, want := roundsOf(8, 17), []round{{3, 4}, {10, 2}, {17, 1}}; !slices.Equal(got, want) {
		t.Errorf("8 candidates, 17 steps: %v, want %v", got, want)
	}
	for n := 2; n <= MaxCandidates; n++ {
		for _, steps := range []int{0, 1, 2, 3, 17, 1000} {
			rounds := roundsOf(n, steps)
			left, done := n, 0
			for _, r := range rounds {
				if r.left != (left+1)/2 && steps > 16 || r.left >= left || r.step <= done && steps > 0 {
					t.Fatalf("%d candidates, %d steps: %v", n, steps, rounds)
				}
				left, done = r.left, r.step
			}
			if left != 1 || done != steps {
				t.Fatalf("%d candidates, %d steps: %v", n, steps, rounds)
			}
			judgments := 0
			for left, i := n, 0; i < len(rounds); i++ {
				judgments += left
				left = rounds[i].left
			}
			if share := float64(workOf(n, rounds)-judgments) / float64(n*steps); steps == 1000 && n >= 8 && (share < 0.35 || share > 0.55) {
				t.Errorf("%d candidates cost %.2f of all", n, share)
			}
		}
	}
}
