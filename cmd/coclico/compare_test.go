package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/internal/hook"
)

// twoStreams writes two streams of raw bits that are 7 CLIP bits and one step of
// all luma apart. It returns their names and the difference of their maps.
func twoStreams(t *testing.T) (a, b string, step float64) {
	t.Helper()
	dir := t.TempDir()
	p := format.Params{}.WithDefaults()
	s := format.Symbols{Vector: make([]uint16, p.Dimensions), ColorMap: format.ColorMap{Y: bytes.Repeat([]byte{1}, 64), U: make([]uint8, 16), V: make([]uint8, 16)}}
	for i := range s.U {
		s.U[i], s.V[i] = 2, 1
	}
	a, b = filepath.Join(dir, "a"+streamExt), filepath.Join(dir, "b"+streamExt)
	if err := os.WriteFile(a, format.Pack(p, s), 0o666); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		s.Vector[100*i] = 1
	}
	for i := range s.Y {
		s.Y[i] = 2
	}
	if err := os.WriteFile(b, format.Pack(p, s), 0o666); err != nil {
		t.Fatal(err)
	}
	return a, b, 0.25
}

func TestCompare(t *testing.T) {
	a, b, step := twoStreams(t)
	var c inspect.Comparison
	if err := json.Unmarshal([]byte(succeed(t, "compare", a, b, "--raw", "--json")), &c); err != nil {
		t.Fatal(err)
	}
	if c.Hamming == nil || *c.Hamming != 7 || math.Abs(c.Cosine-(1-2*7/768.0)) > 1e-6 || c.ClipBits != 768 || c.Bytes != [2]int{120, 120} || math.Abs(c.ColorScore-step*step) > 1e-6 {
		t.Errorf("%+v", c)
	}
	if text := succeed(t, "compare", a, a, "--raw"); !strings.Contains(text, "cosine 1.0000; 0 of 768 bits differ (0.0 %)") || !strings.Contains(text, "score 0.0000") {
		t.Errorf("a file and itself:\n%s", text)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, make([]byte, 4+24), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"cannot be compared: 768 CLIP dimensions in the one, 32 in the other"}, "compare", a, other, "--raw")
	fail(t, process.Failed, []string{"nothing: no such file"}, "compare", a, "nothing", "--raw")
}

// TestCompareProfiles: vectors are compared however they were quantized, and
// bits if each means something by itself.
func TestCompareProfiles(t *testing.T) {
	dir := t.TempDir()
	made := func(name, picture string, args ...string) string {
		path := filepath.Join(dir, name)
		succeed(t, append([]string{"encode", picture, "-o", path}, args...)...)
		return path
	}
	paper, tuned := made("paper", photo, "--profile", "paper"), made("tuned", photo)
	fine, other := made("fine", photo, "--profile", "paper", "--clip-bits", "8"), made("other", "../../codec/testdata/photos/coffee.jpg")
	for _, c := range []struct {
		a, b        string
		least, most float64 // cosine
		bits        bool
	}{
		{tuned, tuned, 1, 1, false}, {paper, paper, 1, 1, true}, {fine, fine, 1, 1, true},
		{tuned, fine, 0.8, 0.95, false}, {paper, fine, 0.7, 0.9, false}, {paper, tuned, 0.6, 0.9, false}, {tuned, other, -0.5, 0.6, false},
	} {
		var got inspect.Comparison
		if err := json.Unmarshal([]byte(succeed(t, "compare", c.a, c.b, "--json")), &got); err != nil {
			t.Fatal(err)
		}
		if got.Cosine < c.least || got.Cosine > c.most || (got.Hamming != nil) != c.bits || (got.ClipBits != 0) != c.bits {
			t.Errorf("%+v, want a cosine from %g to %g and bits %t", got, c.least, c.most, c.bits)
		}
		if text := succeed(t, "compare", c.a, c.b); !strings.Contains(text, "CLIP vector: cosine ") || strings.Contains(text, "bits differ") != c.bits {
			t.Errorf("compare %s %s:\n%s", c.a, c.b, text)
		}
	}
}

// TestParsesOnce: no command parses a file twice, except a decode of many that
// finds a result with other parameters and makes it again.
func TestParsesOnce(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"+streamExt), filepath.Join(dir, "b"+streamExt)
	succeed(t, "encode", photo, "-o", a)
	succeed(t, "encode", photo, "-o", b, "--profile", "paper")
	for _, c := range []struct {
		files int64
		args  []string
	}{
		{2, []string{"compare", a, b}},
		{1, []string{"info", a}},
		{2, []string{"info", a, b}},
		{1, []string{"decode", a, "-o", filepath.Join(dir, "a.png"), "--steps", "1"}},
		{2, []string{"decode", a, b, "-o", filepath.Join(dir, "out"), "--steps", "1"}},
	} {
		before := hook.Parses.Load()
		succeed(t, c.args...)
		if n := hook.Parses.Load() - before; n != c.files {
			t.Errorf("%v parses %d times, want %d", c.args, n, c.files)
		}
	}
}

func TestInfoTable(t *testing.T) {
	a, b, _ := twoStreams(t)
	dir := filepath.Dir(a)
	for _, args := range [][]string{{"info", dir, "--raw"}, {"info", a, b, "--raw"}} {
		lines := strings.Split(succeed(t, args...), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[0], "file ") || !strings.HasPrefix(lines[1], a) || !strings.HasPrefix(lines[2], b) || !strings.Contains(lines[1], "768: 768 bits") {
			t.Errorf("%v:\n%s", args, strings.Join(lines, "\n"))
		}
	}
	data, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if r := coclicoIn(t, t.Context(), data, "info", a, "-", "--raw"); r.status != process.OK || !strings.Contains(r.stdout, "\n-  ") || strings.Count(r.stdout, "\n") != 3 {
		t.Errorf("standard input among files: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if text := succeed(t, "info", dir, "--raw"); !strings.HasSuffix(text, "\n1 other file passed over: 1 .txt\n") {
		t.Errorf("a folder with something else in it:\n%s", text)
	}
	if text := succeed(t, "info", dir, "--raw", "--json"); strings.Count(text, "\n") != 3 || !strings.HasSuffix(text, `"status":"passed over"}`+"\n") {
		t.Errorf("as JSON:\n%s", text)
	}
	if err := os.Remove(filepath.Join(dir, "notes.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bad"+streamExt), []byte("bad"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := coclico(t, "info", dir, "nothing", "--raw", "--json")
	if r.status != process.Failed || strings.Count(r.stdout, "\n") != 2 || strings.Count(r.stderr, "\n") != 3 || !strings.HasSuffix(r.stderr, "2 failed, listed above\n") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

// TestOddName: no name controls the terminal or breaks a table's line.
func TestOddName(t *testing.T) {
	a, b, _ := twoStreams(t)
	odd := filepath.Join(filepath.Dir(a), "\x1b]0;\n\a"+streamExt)
	if err := os.Rename(b, odd); err != nil {
		t.Skip(err)
	}
	texts := succeed(t, "info", odd, "--raw") + succeed(t, "info", a, odd, "--raw") + coclico(t, "info", odd).stderr + coclico(t, "info", a, odd).stderr
	if strings.ContainsAny(texts, "\x1b\a") || strings.Count(texts, "?]0;") < 4 || strings.Contains(texts, "]0;\n") {
		t.Errorf("%q", texts)
	}
	var info inspect.Description
	if err := json.Unmarshal([]byte(succeed(t, "info", odd, "--raw", "--json")), &info); err != nil || info.File != odd {
		t.Errorf("%q, %v", info.File, err)
	}
}

// TestOtherModel: a file of another model is described as far as no model is
// needed, and is not compared.
func TestOtherModel(t *testing.T) {
	dir := t.TempDir()
	file, other, model := filepath.Join(dir, "a"), filepath.Join(dir, "b"), tinyModel(t)
	succeed(t, "encode", photo, "-o", file, "--fit", "whole")
	succeed(t, "encode", photo, "-o", other, "--seed", "7", "--model", model)
	if text := succeed(t, "info", other); !strings.Contains(text, "seed 7") || !strings.Contains(text, "32 dimensions in 32 bits, not read") || !strings.Contains(text, "the center square") {
		t.Errorf("info of another model's file:\n%s", text)
	}
	if text := succeed(t, "info", other, "--model", model); strings.Contains(text, "not read") {
		t.Errorf("info with the file's model:\n%s", text)
	}
	if text := succeed(t, "info", file); strings.Contains(text, "the center square") {
		t.Errorf("info of a whole picture:\n%s", text)
	}
	fail(t, process.Failed, []string{other, "without the model"}, "compare", other, other)
	fail(t, process.Failed, []string{"coclico: typo: "}, "compare", file, file, "--model", "typo")
	fail(t, process.Failed, []string{"coclico: typo: "}, "info", file, "--model", "typo")
	if err := os.Remove(filepath.Join(model, "image_normalizer", "config.json")); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{model, "image_normalizer"}, "info", other, "--model", model)
	t.Setenv(modelVar, "typo")
	if text := succeed(t, "info", file); !strings.Contains(text, "not read") {
		t.Errorf("info without a model:\n%s", text)
	}
	t.Setenv(modelVar, "")
	if text := succeed(t, "compare", file, file); !strings.Contains(text, "cosine 1.0000") {
		t.Errorf("compare:\n%s", text)
	}
}
