package terminal

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/coclico/coclico/codec"
)

// environ is an environment of the given variables and no others.
func environ(vars ...string) func(string) string {
	return func(name string) string {
		for _, v := range vars {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// TestBoard: two lines that fit the terminal, whatever a file's name.
func TestBoard(t *testing.T) {
	var b bytes.Buffer
	d := &Board{w: &b, files: 8, ended: 4, worked: 2, failed: 1, columns: func() int { return 79 }}
	d.Begin("dir/" + strings.Repeat("ü", 100) + "\x1b[2J\n")
	for _, line := range strings.Split(b.String(), "\n") {
		if n := len([]rune(line)); n > 95 {
			t.Errorf("a line of %d: %q", n, line)
		}
	}
	if strings.Count(b.String(), "\n") != 1 || strings.Contains(b.String(), "2J\n") || strings.Contains(b.String(), "\x1b[2J") {
		t.Errorf("%q", b.String())
	}
	if got := cut("絵絵絵", 5); got != "絵絵" || cut("äöü", 3) != "äöü" || cut("a\u202e\u009b\t", 9) != "a???" {
		t.Errorf("cut to %q", got)
	}
	d.file, d.stage, d.step, d.steps = "x/a.png", "denoising", 5, 20
	first, second := d.lines(3 * time.Second)
	if first != "[==========          ] 4/8 files, 1 failed  1 files/s, 4s left" || second != "[=====               ] a.png: denoising, step 6 of 20" {
		t.Errorf("%s\n%s", first, second)
	}
	d.Progress(codec.Progress{Stage: codec.StageCandidates, Step: 11, Steps: 42, Candidate: 2, Candidates: 8})
	if _, second := d.lines(time.Second); second != "[=====               ] a.png: candidate 3 of 8, step 12 of 42" {
		t.Errorf("candidates: %s", second)
	}
	b.Reset()
	d.Show("x/b.png", "WebP", 3, 4) // a moment after the others
	if !strings.Contains(b.String(), "[===============     ] b.png: WebP, step 4 of 4") {
		t.Errorf("a step is not shown: %q", b.String())
	}
	d.Done()
	d.Failed()
	d.Skipped()
	if first, _ := d.lines(0); first != "[=================   ] 7/8 files, 2 failed" {
		t.Errorf("after three more files: %s", first)
	}
	d.Close()
}

// TestCandidateBar: all steps of a search are one bar, which names the candidate.
func TestCandidateBar(t *testing.T) {
	var b bytes.Buffer
	bar := &Bar{w: &b, theme: progressbar.ThemeASCII}
	bar.Progress(codec.Progress{Stage: codec.StageColor})
	for i := range 12 {
		bar.Progress(codec.Progress{Stage: codec.StageCandidates, Step: i, Steps: 12, Candidate: i / 3, Candidates: 4})
	}
	if text := b.String(); !strings.Contains(text, "color map ...") || !strings.Contains(text, "candidate 1 of 4") || strings.Contains(text, "candidates ...") {
		t.Errorf("%q", text)
	}
	bar.Close()
}

// TestDepth: the colors and characters that a terminal gets.
func TestDepth(t *testing.T) {
	for _, c := range []struct {
		noColor, colorTerm, term string
		want                     depth
	}{
		{"", "truecolor", "xterm-256color", trueColors}, {"", "24bit", "", trueColors}, {"1", "truecolor", "xterm-256color", noColors},
		{"", "", "xterm-256color", cubeColors}, {"", "", "vt100", noColors}, {"", "truecolor", "dumb", noColors}, {"", "", "", noColors},
	} {
		env := environ("NO_COLOR="+c.noColor, "COLORTERM="+c.colorTerm, "TERM="+c.term)
		if got := depthOf(env); got != c.want {
			t.Errorf("%+v: depth %d, want %d", c, got, c.want)
		}
	}
	for _, c := range []struct {
		vars string
		want bool
	}{
		{"LANG=en_US.UTF-8", true}, {"LANG=C.utf8", true}, {"LC_CTYPE=de_DE.UTF-8@euro", true}, {"LC_ALL=en_US.UTF-8 LANG=C", true},
		{"LANG=C", false}, {"LANG=POSIX", false}, {"", false}, {"LANG=de_DE.ISO-8859-1", false}, {"LC_ALL=C LANG=en_US.UTF-8", false}, {"LC_CTYPE=C LANG=en_US.UTF-8", false},
	} {
		if got := hasBlocks(environ(strings.Fields(c.vars)...)); got != c.want {
			t.Errorf("%q: blocks are %v, want %v", c.vars, got, c.want)
		}
	}
}

// TestColorMap: every pixel of a map is drawn in its own color.
func TestColorMap(t *testing.T) {
	m := image.NewNRGBA(image.Rect(3, 5, 5, 7)) // a map need not begin at 0, 0
	for i, c := range []color.NRGBA{{0, 0, 0, 255}, {255, 0, 0, 255}, {0x5f, 0x87, 0xaf, 255}, {0xee, 0xee, 0xee, 255}} {
		m.SetNRGBA(3+i%2, 5+i/2, c)
	}
	var b bytes.Buffer
	if !drawMap(&b, m, 1, 1, trueColors, true) || strings.Count(b.String(), "\n") != 16 || strings.Count(b.String(), "▀") != 512 {
		t.Errorf("%d lines, %d blocks", strings.Count(b.String(), "\n"), strings.Count(b.String(), "▀"))
	}
	if !strings.Contains(b.String(), "\x1b[38;2;255;0;0;48;2;255;0;0m▀") {
		t.Error("no red block")
	}
	if b.Reset(); !drawMap(&b, m, 5, 1, trueColors, true) || strings.Count(b.String(), "\n") != 3 || strings.Count(b.String(), "▀") != 96 {
		t.Errorf("of a panorama %d lines, %d blocks", strings.Count(b.String(), "\n"), strings.Count(b.String(), "▀"))
	}
	b.Reset()
	drawMap(&b, m, 1, 1, cubeColors, true)
	for _, code := range []string{"5;16;48;5;16", "5;196;48;5;196", "5;67;48;5;67", "5;255;48;5;255"} {
		if !strings.Contains(b.String(), "\x1b[38;"+code+"m") {
			t.Errorf("no block of color %s", code)
		}
	}
	if b.Reset(); !drawMap(&b, m, 1, 1, cubeColors, false) || strings.ContainsFunc(b.String(), func(r rune) bool { return r > '~' }) ||
		strings.Count(b.String(), "\x1b[48;5;67m ") != 128 {
		t.Errorf("without block characters: %q", b.String())
	}
	if b.Reset(); drawMap(&b, m, 1, 1, noColors, true) || b.Len() > 0 {
		t.Error("drawn without colors")
	}
	if s := New(&b, &b, environ("COLORTERM=truecolor", "LANG=C.UTF-8")); s.ColorMap(m, 1, 1) || b.Len() > 0 {
		t.Error("drawn into a file")
	}
}

// TestScreen: one line for each complaint, no orders to the terminal, and an
// error that is kept.
func TestScreen(t *testing.T) {
	var out, err bytes.Buffer
	s := New(&out, &err, environ())
	s.Complain("a\nb\t\x1b[2Jc")
	s.Note("seen at a terminal only")
	if err.String() != "coclico: a; b; ?[2Jc\n" {
		t.Errorf("complained %q", err.String())
	}
	if e := s.JSON(map[string]string{"a": "<&>"}); e != nil || out.String() != "{\"a\":\"<&>\"}\n" || s.OutErr() != nil {
		t.Errorf("JSON is %q (%v)", out.String(), e)
	}
	full := New(failing{}, &err, environ())
	if full.JSON(1) == nil || full.OutErr() == nil {
		t.Error("an error of standard output is forgotten")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestByteCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.00 kB", 12_345: "12.3 kB", 6_680_000: "6.68 MB", 3_200_000_000: "3.20 GB"} {
		if got := ByteCount(n); got != want {
			t.Errorf("%d bytes are written %q, want %q", n, got, want)
		}
	}
}

// TestLeft: no time that is left is negative, as of a process that was stopped
// for hours with a millionth of its work done.
func TestLeft(t *testing.T) {
	for _, c := range []struct {
		elapsed time.Duration
		share   float64
		want    string
	}{
		{time.Minute, 0.25, "3m0s left"},
		{time.Second, 1, "0s left"},
		{time.Hour, 1e-3, "999h0m0s left"},
		{3 * time.Hour, 1e-6, "more than a year left"},
		{0, 1e-6, "0s left"},
	} {
		if got := Left(c.elapsed, c.share); got != c.want {
			t.Errorf("%v for %v: %s, want %s", c.elapsed, c.share, got, c.want)
		}
	}
}
