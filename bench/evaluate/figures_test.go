package evaluate

import (
	"bytes"
	"encoding/xml"
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

	"github.com/coclico/coclico/codec"
)

// TestPictureSpoiled: a picture that somebody deletes before the report shows it
// is named.
func TestPictureSpoiled(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	t.Setenv("PATH", dir)
	scenes(t, dir, 1)
	gone := filepath.Join(out, paintings, "thumbhash", "scene0.png")
	named := func(err error) bool {
		return err != nil && strings.HasPrefix(err.Error(), gone+": ") && strings.HasSuffix(err.Error(), "; the same command makes it again")
	}
	e := evaluation(dir, out, "thumbhash")
	r := run(t, e)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Save(r); !named(err) {
		t.Errorf("the page: error %v", err)
	}
	if _, err := e.pictureOf(e.tasks[0], "thumbhash"); !named(err) {
		t.Errorf("the figures: error %v", err)
	}
}

// All figures are drawn, as SVG and as PNG, and stand in the page.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("paints twenty pictures")
	}
	dir, out := t.TempDir(), t.TempDir()
	t.Setenv("PATH", dir)
	savePNG(t, filepath.Join(dir, "a <b>.png"), scene(1, 64))
	e := evaluation(dir, out, "thumbhash", "paper")
	e.Figures, e.Metrics = true, networks(t)
	r := run(t, e)
	if len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	names, err := e.Save(r)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"table.md", "table.csv", "table.tex", "report.html"}
	for _, id := range []string{"figure4", "figure5", "figure6", "strength", "contact", "rate-color", "rate-clip-d", "rate-psnr"} {
		want = append(want, id+".svg", id+".png")
		checkDrawing(t, filepath.Join(out, id))
	}
	for _, name := range names {
		if !results.MatchString(name) {
			t.Errorf("%s is not among the names that are replaced", name)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(page), `src="data:image/svg&#43;xml;base64,`) + strings.Count(string(page), `src="data:image/svg+xml;base64,`); n != 8 {
		t.Errorf("%d figures in the page, want 8", n)
	}
	for _, l := range r.Lines {
		if strings.HasPrefix(l.Name, "map of") {
			t.Error("the table has a figure's row")
		}
	}
}

// checkDrawing decodes both files of a figure.
func checkDrawing(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path + ".png")
	if err != nil {
		t.Error(err)
		return
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil || flat(img) {
		t.Errorf("%s.png: empty, or %v", path, err)
	}
	data, err = os.ReadFile(path + ".svg")
	if err != nil {
		t.Error(err)
		return
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s.svg: %v", path, err)
			return
		}
	}
}

func flat(img image.Image) bool {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if img.At(x, y) != img.At(b.Min.X, b.Min.Y) {
				return false
			}
		}
	}
	return true
}

// With --paint all pictures have all maps; without it some have some.
func TestFigureRows(t *testing.T) {
	for _, paint := range []bool{false, true} {
		e := evaluation(t.TempDir(), t.TempDir())
		e.Paint, e.tools = paint, &toolbox{}
		maps, all := 0, 0
		for _, r := range e.figureRows() {
			if !r.figure {
				t.Errorf("%s is in the table", r.id)
			}
			if strings.HasPrefix(r.id, "map-") {
				maps++
				if r.pictures == 0 {
					all++
				}
			} else if r.pictures != examples {
				t.Errorf("%s is made for %d pictures", r.id, r.pictures)
			}
		}
		if want := map[bool][2]int{false: {7, 0}, true: {16, 16}}[paint]; maps != want[0] || all != want[1] {
			t.Errorf("paint %t: %d maps, %d of all pictures; want %v", paint, maps, all, want)
		}
	}
}

// The bytes of a map are those of a file's part, and its error is that of the
// codec's color score against the picture.
func TestMapPoints(t *testing.T) {
	p := scene(3, 64)
	points := mapPoints(p)
	if len(points) != len(mapSizes)*len(colorBits) {
		t.Fatalf("%d points", len(points))
	}
	for _, m := range points {
		if m.nominalBytes*8 != 1.5*float64(m.bits*m.n*m.n) {
			t.Errorf("%d/%d: R = %g bytes", m.n, m.bits, m.nominalBytes)
		}
		for profile, want := range map[codec.Profile]float64{codec.Paper: m.bytes, codec.Tuned: m.tunedBytes} {
			data, err := builtIn.Encode(t.Context(), p.Image(), &codec.EncodeOptions{Profile: profile, Format: codec.Format{MapSize: m.n, ColorBits: m.bits}})
			if err != nil {
				t.Fatal(err)
			}
			f, err := codec.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			if s := f.Sizes(); !s.Stored && math.Abs(s.Color-want) > 1e-9 {
				t.Errorf("%v, %d/%d: %g bytes, the file has %g", profile, m.n, m.bits, want, s.Color)
			}
		}
	}
	if first, last := points[0].error, points[len(points)-1].error; last > first/4 {
		t.Errorf("the finest map has an error of %g, the coarsest %g", last, first)
	}
}

func TestLowerHull(t *testing.T) {
	xys := func(values ...float64) (p []point) {
		for i := 0; i < len(values); i += 2 {
			p = append(p, point{values[i], values[i+1]})
		}
		return p
	}
	for _, test := range []struct{ in, want []point }{
		{nil, nil},
		{xys(1, 1), xys(1, 1)},
		{xys(3, 1, 1, 9, 2, 2), xys(1, 9, 2, 2, 3, 1)},
		{xys(1, 9, 2, 8, 3, 1), xys(1, 9, 3, 1)},             // above the line
		{xys(1, 9, 2, 5, 3, 1), xys(1, 9, 3, 1)},             // on it
		{xys(1, 9, 2, 2, 3, 4, 4, 5), xys(1, 9, 2, 2)},       // rising again
		{xys(1, 9, 2, 2, 3, 4, 4, 1), xys(1, 9, 2, 2, 4, 1)}, // and falling again
		{xys(1, 9, 1, 3, 2, 2), xys(1, 3, 2, 2)},             // of one rate
	} {
		if got := lowerHull(test.in); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("hull of %v: %v, want %v", test.in, got, test.want)
		}
	}
}
