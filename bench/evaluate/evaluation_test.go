package evaluate

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/bench/iqa"
	"github.com/coclico/coclico/codec"
)

// builtIn is the codec of all tests.
var builtIn = func() *codec.Codec {
	c, err := codec.BuiltIn()
	if err != nil {
		panic(err)
	}
	return c
}()

// scene is a picture that differs from others by its number.
func scene(n, side int) *Picture {
	p := &Picture{side, make([]byte, side*side*3)}
	for i := range side * side {
		x, y := i%side, i/side
		p.RGB[3*i], p.RGB[3*i+1], p.RGB[3*i+2] = byte(x*255/side), byte(y*255/side), byte(40*n+(x*y)%50)
	}
	return p
}

func savePNG(t *testing.T, path string, p *Picture) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := writeTo(path, writePNG, p); err != nil {
		t.Fatal(err)
	}
}

// scenes writes so many pictures into a folder.
func scenes(t *testing.T, dir string, n int) {
	for i := range n {
		savePNG(t, filepath.Join(dir, fmt.Sprintf("scene%d.png", i)), scene(i, 64))
	}
}

// evaluation is that of a folder's PNG files into another folder.
func evaluation(dir, out string, rows ...string) *Evaluation {
	paths, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil {
		panic(err)
	}
	return &Evaluation{
		Pictures: paths, Out: out, Set: Sets()[0], Size: 64, Codec: builtIn, Model: "built-in", Side: 128, Rows: rows,
		Read: func(_ context.Context, path string) (image.Image, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			return png.Decode(f)
		},
		IsPictureName: func(path string) bool { return filepath.Ext(path) == ".png" || filepath.Ext(path) == ".webp" },
		Write: func(path string, fill func(io.Writer) error) error {
			var b bytes.Buffer
			if err := fill(&b); err != nil {
				return err
			}
			return os.WriteFile(path, b.Bytes(), 0o666)
		},
	}
}

func run(t *testing.T, e *Evaluation) *Report {
	t.Helper()
	r, err := e.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// networks returns the metrics that need no weights.
func networks(t *testing.T) []Metric {
	set, err := iqa.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return Networks(set, false, noWeights)
}

const noWeights = "get the weights"

// table returns a report's table without times and memory.
func table(t *testing.T, r *Report) [][]string {
	t.Helper()
	var b bytes.Buffer
	if err := r.CSV(&b); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := lines[0]
	for i, line := range lines {
		lines[i] = nil
		for k, cell := range line {
			if !strings.HasPrefix(head[k], "encode s") && !strings.HasPrefix(head[k], "decode s") && !strings.HasPrefix(head[k], "MiB") {
				lines[i] = append(lines[i], cell)
			}
		}
	}
	return lines
}

// cellOf returns a cell of a report, or "" if it does not exist.
func cellOf(r *Report, row, column string) string {
	for _, l := range r.Lines {
		for i, c := range r.Columns {
			if l.Name == row && c.Name == column {
				return c.Text(l.Cells[i])
			}
		}
	}
	return ""
}

func TestOwnRows(t *testing.T) {
	dir := t.TempDir()
	scenes(t, dir, 2)
	r := run(t, evaluation(dir, t.TempDir(), "input", "paper", "tuned", "blurhash", "thumbhash"))
	if len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	for _, want := range [][3]string{{"input", "bytes", "-"}, {"input", "color", "-"}, {"BlurHash 4 x 3", "bytes", "28"}, {"ThumbHash", "bytes", "24"}} {
		if got := cellOf(r, want[0], want[1]); got != want[2] {
			t.Errorf("%s of %s: %q, want %q", want[1], want[0], got, want[2])
		}
	}
	paper, tuned := r.Lines[1].Cells, r.Lines[2].Cells
	if paper[0].Mean < 80 || paper[0].Mean > 120 {
		t.Errorf("the paper's profile takes %g bytes", paper[0].Mean)
	}
	if tuned[0].Mean > paper[0].Mean {
		t.Errorf("tuned takes %g bytes, the paper %g: not equal", tuned[0].Mean, paper[0].Mean)
	}
	for _, c := range r.Columns[2:4] {
		if got := cellOf(r, "CoCliCo, tuned", c.Name); got == "-" {
			t.Errorf("no %s", c.Name)
		}
	}
}

// The best noise of some is no worse than the first, in as many bytes, at the
// size that the encoder judges: the model's own.
func TestCandidates(t *testing.T) {
	dir := t.TempDir()
	scenes(t, dir, 1)
	e := evaluation(dir, t.TempDir(), "paper", "tuned", "candidates")
	e.Size = 128
	r := run(t, e)
	if len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	paper, tuned, best := r.Lines[0].Cells, r.Lines[1].Cells, r.Lines[2].Cells
	if best[0].Mean > paper[0].Mean {
		t.Errorf("%g bytes, the paper's %g", best[0].Mean, paper[0].Mean)
	}
	if best[3].Mean > tuned[3].Mean+0.01 { // fewer bits of the vector, for the noise's number
		t.Errorf("a CLIP distance of %g, the first noise's %g", best[3].Mean, tuned[3].Mean)
	}
}

// A budget replaces the paper's bytes.
func TestBytes(t *testing.T) {
	dir := t.TempDir()
	scenes(t, dir, 1)
	e := evaluation(dir, t.TempDir(), "tuned")
	e.Bytes = 60
	if n := run(t, e).Lines[0].Cells[0].Mean; n > 60 || n < 55 {
		t.Errorf("%g bytes for a budget of 60", n)
	}
	for _, row := range []string{"tuned", "candidates", "vvc-equal"} {
		e := evaluation(dir, t.TempDir(), "thumbhash", row)
		e.Read = func(context.Context, string) (image.Image, error) {
			t.Error(row + ": a picture is read")
			return nil, errors.ErrUnsupported
		}
		want := codec.OptionError("rows " + row + ": needs row paper, whose bytes it is to have, or a number of bytes")
		if _, err := e.Run(t.Context()); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// A picture that changed, and another option, are evaluated again; anything else
// is not.
func TestRedo(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	scenes(t, dir, 2)
	lines := func() int {
		data, err := os.ReadFile(filepath.Join(out, "records.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(data, []byte("\n"))
	}
	again := func(want int, why string, change func(e *Evaluation)) *Report {
		t.Helper()
		before := 0
		if why != "the first run" {
			before = lines()
		}
		e := evaluation(dir, out, "input", "paper", "thumbhash")
		change(e)
		r := run(t, e)
		if n := lines() - before; n != want {
			t.Errorf("%s: %d records were added, want %d", why, n, want)
		}
		return r
	}
	first := again(6, "the first run", func(*Evaluation) {})
	if second := again(0, "nothing changed", func(*Evaluation) {}); !slices.EqualFunc(table(t, first), table(t, second), slices.Equal) {
		t.Error("the second run has another table")
	}
	savePNG(t, filepath.Join(dir, "scene1.png"), scene(7, 64))
	again(3, "a picture changed", func(*Evaluation) {})
	again(2, "the program changed", func(e *Evaluation) { e.Version = "2" })
	another := func(e *Evaluation) { e.Model, e.Version = "another", "2" }
	again(6, "the model changed, and with it all vectors", another)
	if err := os.Remove(filepath.Join(out, "pictures", "thumbhash", "scene0.png")); err != nil {
		t.Fatal(err)
	}
	again(1, "a decoded picture is gone", another)
	savePNG(t, filepath.Join(out, "pictures", "thumbhash", "scene0.png"), scene(9, 64))
	again(1, "a decoded picture was replaced", another)
}

// A vector of another length than the model's is computed again and written,
// whether scores are missing or not.
func TestDamagedVector(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	scenes(t, dir, 2)
	evaluate := func() [][]string {
		e := evaluation(dir, out, "input", "thumbhash")
		e.Metrics = []Metric{{Name: "CMMD-224", AtLeast: 2, Set: iqa.CMMD, Digits: 6}}
		return table(t, run(t, e))
	}
	// change changes the first picture's record of a row, and returns the length
	// that its vector had.
	change := func(row string, change func(*Record)) int {
		j, err := openJournal(filepath.Join(out, "records.jsonl"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r := j.last[key{row, "scene0.png"}]
		n := len(r.Vector)
		change(r)
		if err := errors.Join(j.add(r), j.close()); err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := evaluate()
	for _, length := range []int{0, 10, 1000} {
		for _, row := range []string{"input", "thumbhash"} {
			for _, missing := range []string{"CLIP d built-in", "no score"} {
				n := change(row, func(r *Record) { r.Vector = make(vector, length) })
				change("thumbhash", func(r *Record) { delete(r.Scores, missing) })
				if again := evaluate(); !slices.EqualFunc(first, again, slices.Equal) {
					t.Errorf("%s, %d numbers, %s missing: %q, want %q", row, length, missing, again, first)
				}
				if got := change(row, func(*Record) {}); got != n {
					t.Errorf("%s, %d numbers, %s missing: %d are kept", row, length, missing, got)
				}
			}
		}
	}
}

// A metric that was missing is added to what earlier runs made.
func TestMetricLater(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	scenes(t, dir, 1)
	e := evaluation(dir, out, "thumbhash")
	e.Metrics = []Metric{{Name: "DISTS", Digits: 3, Missing: "pull its weights"}}
	r := run(t, e)
	if got := cellOf(r, "ThumbHash", "DISTS"); got != "-" {
		t.Errorf("without weights: %q", got)
	}
	if len(r.Absent) != 1 || r.Absent[0] != "DISTS: pull its weights" {
		t.Errorf("absent: %q", r.Absent)
	}
	e = evaluation(dir, out, "thumbhash")
	e.Metrics = []Metric{{Name: "DISTS", Digits: 3, Version: "v1", Synthetic: true, Score: func(_ context.Context, s Subject) (float64, error) {
		if s.Reference.Side != 64 || s.Picture.Side != 64 || len(s.Picture.Vector) == 0 {
			return 0, errors.New("not the pictures")
		}
		return 0.5, nil
	}}}
	r = run(t, e)
	if got := cellOf(r, "ThumbHash", "DISTS"); got != "0.500" {
		t.Errorf("with weights: %q", got)
	}
	if !r.Synthetic {
		t.Error("synthetic scores are not marked")
	}
	e = evaluation(dir, out, "thumbhash")
	e.Metrics = []Metric{{Name: "DISTS", Digits: 3, Version: "v2", Score: func(context.Context, Subject) (float64, error) { return 0.75, nil }}}
	if got := cellOf(run(t, e), "ThumbHash", "DISTS"); got != "0.750" {
		t.Errorf("with other weights: %q", got)
	}
	for name, write := range map[string]func(io.Writer) error{"Markdown": r.Markdown, "LaTeX": r.LaTeX, "HTML": r.HTML, "CSV": r.CSV} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(strings.ToLower(b.String()), "synthetic"); n < 3 {
			t.Errorf("%s says synthetic %d times", name, n)
		}
	}
}

// A metric that cannot rate pictures of the evaluation's size loses its column,
// and not the table; a score that fails is a problem, and only this score is
// missing.
func TestMetricFails(t *testing.T) {
	dir := t.TempDir()
	scenes(t, dir, 3)
	evaluate := func(score func(picture int) (float64, error)) *Report {
		e := evaluation(dir, t.TempDir(), "thumbhash")
		picture := 0
		e.Metrics = []Metric{{Name: "MS-SSIM", Score: func(context.Context, Subject) (float64, error) {
			picture++
			return score(picture)
		}}}
		return run(t, e)
	}
	r := evaluate(func(int) (float64, error) { return 0, iqa.SizeError("too small") })
	if !slices.Equal(r.Absent, []string{"MS-SSIM: too small"}) || r.Problems != nil || cellOf(r, "ThumbHash", "MS-SSIM") != "-" || cellOf(r, "ThumbHash", "bytes") != "24" {
		t.Errorf("a size: absent %q, problems %q", r.Absent, r.problems())
	}
	r = evaluate(func(picture int) (float64, error) {
		return []float64{math.NaN(), 0, 7}[picture-1], []error{nil, errors.New("out of order"), nil}[picture-1]
	})
	want := []string{"ThumbHash: scene0.png: MS-SSIM: the score is not finite", "ThumbHash: scene1.png: MS-SSIM: out of order"}
	if got := r.problems(); !slices.Equal(got, want) || r.Absent != nil || cellOf(r, "ThumbHash", "MS-SSIM") != "7" {
		t.Errorf("problems %q, want %q; absent %q, cell %s", got, want, r.Absent, cellOf(r, "ThumbHash", "MS-SSIM"))
	}
}

// A metric of sets has no cell below its number of pictures, and judges them by
// their vectors.
func TestSetMetric(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	scenes(t, dir, 2)
	for _, least := range []int{2, 3} {
		e := evaluation(dir, out, "input", "thumbhash")
		e.Metrics = []Metric{{Name: "CMMD-224", AtLeast: least, Set: func(refs, pictures [][]float32) float64 {
			return float64(len(refs) + len(pictures))
		}}}
		r := run(t, e)
		want := map[int]string{2: "4", 3: "-"}[least]
		if got := cellOf(r, "ThumbHash", "CMMD-224"); got != want {
			t.Errorf("at least %d: %q, want %q", least, got, want)
		}
		if got := cellOf(r, "input", "CMMD-224"); got != "-" {
			t.Errorf("the input against itself: %q", got)
		}
	}
}

// Errors of the call and of the journal.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	scenes(t, dir, 1)
	fails := func(e *Evaluation, want string) {
		t.Helper()
		if _, err := e.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	fails(evaluation(dir, t.TempDir(), "papr"), "rows papr: no such row; the rows are input, paper, tuned")
	e := evaluation(dir, t.TempDir())
	e.Size = 100
	fails(e, "size 100")
	e = evaluation(dir, t.TempDir())
	e.Pictures = nil
	fails(e, "no pictures")
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, journalName), []byte(aRecord+"nonsense\n"+aRecord), 0o666); err != nil {
		t.Fatal(err)
	}
	fails(evaluation(dir, out, "thumbhash"), "records.jsonl: line 2 is not a record")

	ctx, cancel := context.WithCancel(t.Context())
	e = evaluation(dir, t.TempDir(), "thumbhash")
	e.Begin = func(Progress) { cancel() }
	if _, err := e.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// A picture that cannot be read, one of the same name, and names that JSON would
// take for one, are problems.
func TestBadPictures(t *testing.T) {
	dir := t.TempDir()
	scenes(t, dir, 1)
	if err := os.WriteFile(filepath.Join(dir, "broken.png"), []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	e := evaluation(dir, t.TempDir(), "thumbhash")
	e.Pictures = append(e.Pictures, filepath.Join(dir, "sub", "scene0.png"), "a\xfe.png", "a\xff.png")
	r := run(t, e)
	for _, p := range r.Problems[2:] {
		if p.Err != "the name is not UTF-8: rename the file" {
			t.Errorf("a name of other bytes: %s", p)
		}
	}
	if len(r.Problems) != 4 || r.Problems[0].Picture != "broken.png" || !strings.Contains(r.Problems[1].String(), "scene0.png: named like") {
		t.Errorf("problems: %v", r.Problems)
	}
	if r.Title != "1 picture at 64 x 64" || cellOf(r, "ThumbHash", "bytes") != "24" {
		t.Errorf("%s: %v", r.Title, r.Lines)
	}
}
