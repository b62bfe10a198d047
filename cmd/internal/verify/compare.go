package verify

import (
	"fmt"
	"io"
	"math"

	"github.com/coclico/coclico/nn"
)

// A line is the printed comparison of one tensor.
type line struct {
	name    string
	rms     float64 // relative: rms(got-want) / rms(want)
	max     float64 // largest |got-want| / largest |want|
	bound   float64 // on rms; 0 if rms is not judged
	verdict verdict
	note    string // replaces rms and max where they mean nothing
}

type verdict uint8

const (
	shown verdict = iota // not judged
	passed
	failed
)

func (v verdict) String() string { return [...]string{"-", "ok", "FAIL"}[v] }

func (l line) print(w io.Writer) {
	what := l.note
	if what == "" {
		what = fmt.Sprintf("rms %.1e  max %.1e", l.rms, l.max)
	}
	bound := "-"
	if l.bound > 0 {
		bound = fmt.Sprintf("%.1e", l.bound)
	}
	fmt.Fprintf(w, "  %-58s %-28s bound %-8s %s\n", l.name, what, bound, l.verdict)
}

// compare measures the error of got. With a bound of 0 it gives no verdict. A
// NaN exceeds every bound.
func compare(name string, got, want []float32, bound float64) line {
	l := line{name: name, bound: bound}
	if len(got) != len(want) {
		l.note, l.verdict = fmt.Sprintf("%d values, not %d", len(got), len(want)), failed
		return l
	}
	var diff2, want2, diffMax, wantMax float64
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		diff2 += d * d
		want2 += float64(w) * float64(w)
		if !(d <= diffMax) { // a NaN stays
			diffMax = d
		}
		wantMax = max(wantMax, math.Abs(float64(w)))
	}
	l.rms, l.max = ratio(math.Sqrt(diff2), math.Sqrt(want2)), ratio(diffMax, wantMax)
	if bound > 0 {
		l.verdict = judge(l.rms <= bound)
	}
	return l
}

// ratio returns a/b, or a if b is 0, so that zeros computed as zeros are no
// error.
func ratio(a, b float64) float64 {
	if b == 0 {
		return a
	}
	return a / b
}

func judge(ok bool) verdict {
	if ok {
		return passed
	}
	return failed
}

// compareCodes counts the codes that differ: at most the given fraction may.
func compareCodes(name string, got, want []int64, share float64) line {
	l := line{name: name}
	if len(got) != len(want) {
		l.note, l.verdict = fmt.Sprintf("%d codes, not %d", len(got), len(want)), failed
		return l
	}
	n := 0
	for i := range want {
		if got[i] != want[i] {
			n++
		}
	}
	l.note = fmt.Sprintf("%d of %d differ", n, len(want))
	l.verdict = judge(float64(n) <= share*float64(len(want)))
	return l
}

// compareSteps compares values that were quantized to whole steps: none may be
// more than one step off, and at most the given fraction may be off at all. If
// bound is not 0, the relative RMS error is judged instead.
func compareSteps(name string, got, want []float32, step float64, share, bound float64) line {
	l := compare(name, got, want, bound)
	if bound > 0 || len(got) != len(want) {
		return l
	}
	off, far := 0, 0
	for i := range want {
		switch d := math.Abs(float64(got[i])-float64(want[i])) / step; {
		case d < 0.01: // the same step, rounded to float32
		case d < 1.01:
			off++
		default: // NaN as well
			far++
		}
	}
	l.note = fmt.Sprintf("%d of %d one step off", off, len(want))
	if far > 0 {
		l.note += fmt.Sprintf(", %d more", far)
	}
	l.verdict = judge(far == 0 && float64(off) <= share*float64(len(want)))
	return l
}

// planes returns the values of a square picture [size,size,3] in PyTorch's
// order [3,size,size].
func planes(x []float32, size int) []float32 {
	return (&nn.Tensor{N: 1, H: size, W: size, C: 3, Data: x}).NCHW()
}
