package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec/stream"
)

// twoStreams writes two streams that are 7 CLIP bits and one step of all luma apart, and returns their names and how far
// apart their maps' values are.
func twoStreams(t *testing.T) (a, b string, step float64) {
	t.Helper()
	dir := t.TempDir()
	p := stream.Params{}.WithDefaults()
	s := stream.Symbols{Embedding: make([]uint16, p.EmbeddingDim), Colour: stream.Colour{Y: bytes.Repeat([]byte{1}, 64), U: make([]uint8, 16), V: make([]uint8, 16)}}
	for i := range s.U {
		s.U[i], s.V[i] = 2, 1
	}
	a, b = filepath.Join(dir, "a"+streamExt), filepath.Join(dir, "b"+streamExt)
	if err := os.WriteFile(a, stream.Pack(p, s), 0o666); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		s.Embedding[100*i] = 1
	}
	for i := range s.Y {
		s.Y[i] = 2
	}
	if err := os.WriteFile(b, stream.Pack(p, s), 0o666); err != nil {
		t.Fatal(err)
	}
	return a, b, 0.25
}

func TestCompare(t *testing.T) {
	a, b, step := twoStreams(t)
	var c comparison
	if err := json.Unmarshal([]byte(succeed(t, "compare", a, b, "--json")), &c); err != nil {
		t.Fatal(err)
	}
	if c.Hamming != 7 || c.ClipBits != 768 || c.Bytes != [2]int{120, 120} || math.Abs(c.ColourScore-step*step) > 1e-6 {
		t.Errorf("%+v", c)
	}
	if text := succeed(t, "compare", a, a); !strings.Contains(text, "0 of 768 bits differ") || !strings.Contains(text, "score 0.0000") {
		t.Errorf("a file and itself:\n%s", text)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, make([]byte, 4+24), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, statusFailed, []string{"cannot be compared", "768 CLIP dimensions of 1 bits", "32 CLIP dimensions"}, "compare", a, other)
	fail(t, statusFailed, []string{"nothing: no such file"}, "compare", a, "nothing")
}

func TestInfoTable(t *testing.T) {
	a, b, _ := twoStreams(t)
	dir := filepath.Dir(a)
	for _, args := range [][]string{{"info", dir}, {"info", a, b}} {
		lines := strings.Split(succeed(t, args...), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[0], "file ") || !strings.HasPrefix(lines[1], a) || !strings.HasPrefix(lines[2], b) || !strings.Contains(lines[1], "768 x 1 bits") {
			t.Errorf("%v:\n%s", args, strings.Join(lines, "\n"))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bad"+streamExt), []byte("bad"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := coclico(t, "info", dir, "nothing", "--json")
	if r.status != statusFailed || strings.Count(r.stdout, "\n") != 2 || strings.Count(r.stderr, "\n") != 3 || !strings.HasSuffix(r.stderr, "2 failed, listed above\n") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

// TestColourMap: which colours a terminal gets, and that every pixel of a map is drawn in its own.
func TestColourMap(t *testing.T) {
	for _, c := range []struct {
		noColor, colorTerm, term string
		want                     depth
	}{
		{"", "truecolor", "xterm-256color", trueColours}, {"", "24bit", "", trueColours}, {"1", "truecolor", "xterm-256color", noColours},
		{"", "", "xterm-256color", cubeColours}, {"", "", "vt100", noColours}, {"", "truecolor", "dumb", noColours}, {"", "", "", noColours},
	} {
		env := map[string]string{"NO_COLOR": c.noColor, "COLORTERM": c.colorTerm, "TERM": c.term}
		if got := depthOf(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("%v: depth %d, want %d", env, got, c.want)
		}
	}
	var b bytes.Buffer
	rgb := [][]string{{"#000000", "#ff0000"}, {"#5f87af", "#eeeeee"}}
	if !drawMap(&b, rgb, trueColours) || strings.Count(b.String(), "\n") != 16 || strings.Count(b.String(), "▀") != 512 {
		t.Errorf("%d lines, %d blocks", strings.Count(b.String(), "\n"), strings.Count(b.String(), "▀"))
	}
	if !strings.Contains(b.String(), "\x1b[38;2;255;0;0;48;2;255;0;0m▀") {
		t.Error("no red block")
	}
	b.Reset()
	drawMap(&b, rgb, cubeColours)
	for _, code := range []string{"5;16;48;5;16", "5;196;48;5;196", "5;67;48;5;67", "5;255;48;5;255"} {
		if !strings.Contains(b.String(), "\x1b[38;"+code+"m") {
			t.Errorf("no block of colour %s", code)
		}
	}
	if b.Reset(); drawMap(&b, rgb, noColours) || b.Len() > 0 {
		t.Error("drawn without colours")
	}
}
