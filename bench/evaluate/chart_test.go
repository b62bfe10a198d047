package evaluate

import (
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		axis axis
		want string
	}{
		{axis{lo: 0, hi: 0.08}, "0.00 0.02 0.04 0.06 0.08"},
		{axis{lo: 0.3, hi: 0.9}, "0.4 0.6 0.8"},
		{axis{lo: 12, hi: 38}, "15 20 25 30 35"},
		{axis{lo: -1, hi: 1}, "-1.0 -0.5 0.0 0.5 1.0"},
		{axis{lo: 150, hi: 5000}, "1000 2000 3000 4000 5000"},
		{axis{lo: 20, hi: 300, log: true}, "32 64 128 256"},
		{axis{lo: 0.4, hi: 3, log: true}, "0.5 1 2"},
	} {
		var labels []string
		for _, tick := range test.axis.ticks() {
			labels = append(labels, tick.label)
		}
		if got := strings.Join(labels, " "); got != test.want {
			t.Errorf("ticks from %g to %g: %s, want %s", test.axis.lo, test.axis.hi, got, test.want)
		}
	}
	for size := 1e-4; size < 1e5; size *= 1.07 {
		if n := len(steps(0.37*size, 1.37*size)); n < 3 || n > 8 {
			t.Errorf("%d ticks from %g to %g", n, 0.37*size, 1.37*size)
		}
	}
}

// All words of a chart are within it, a long label at the right edge too, and
// all its numbers are finite, even if all values are the same.
func TestChartFits(t *testing.T) {
	const label = "a codec of a long name, its best of four"
	for _, points := range [][]point{{{1, 2}, {64, 3}, {900, 2.5}}, {{5, 7}}} {
		for _, log := range []bool{false, true} {
			f, err := charts("id", "", "", &chart{title: "title", x: "bytes", y: "score", logX: log, curves: []curve{
				{name: "name", points: points, line: true, dots: true, labels: slices.Repeat([]string{label}, len(points)), color: colors[0]},
				{name: "nothing", dots: true, line: true, color: colors[1]},
			}})
			if err != nil {
				t.Fatal(err)
			}
			if svg := string(f.svg); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Errorf("%v: not a number", points)
			}
			var drawing struct {
				Texts []struct {
					X    float64 `xml:"x,attr"`
					Text string  `xml:",chardata"`
				} `xml:"g>text"`
			}
			if err := xml.Unmarshal(f.svg, &drawing); err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, text := range drawing.Texts {
				words = append(words, text.Text)
				if right := vg.Length(text.X) + textStyle(labelSize).Width(text.Text); text.X < 0 || right > 380 {
					t.Errorf("%v: %q from %g to %g", points, text.Text, text.X, right)
				}
			}
			for _, want := range []string{"title", "bytes", "name", label} {
				if !slices.Contains(words, want) {
					t.Errorf("%v: no %q in %q", points, want, words)
				}
			}
			if slices.Contains(words, "nothing") {
				t.Errorf("%v: a curve without points is in the legend", points)
			}
		}
	}
}

func TestAxis(t *testing.T) {
	for _, test := range []struct {
		axis  axis
		value float64
		want  float64
	}{
		{axis{lo: 2, hi: 6, from: 10, to: 50}, 2, 10},
		{axis{lo: 2, hi: 6, from: 10, to: 50}, 6, 50},
		{axis{lo: 2, hi: 6, from: 10, to: 50}, 3, 20},
		{axis{lo: 1, hi: 16, from: 10, to: 50, log: true}, 4, 30},
	} {
		if got := float64(test.axis.at(test.value)); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%v: %g is at %g, want %g", fmt.Sprint(test.axis), test.value, got, test.want)
		}
	}
}
