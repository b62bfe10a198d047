package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
)

// withCandidate encodes a photo with candidates whose best one is not the first,
// and returns the arguments and its description.
func withCandidate(t *testing.T, out string, args ...string) ([]string, inspect.Description) {
	t.Helper()
	for seed := range 9 { // one in three would not do
		encode := append([]string{"encode", photo, "-o", out, "--steps", "6", "--candidates", "3", "--seed", fmt.Sprint(seed)}, args...)
		succeed(t, encode...)
		var d inspect.Description
		if err := json.Unmarshal([]byte(succeed(t, "info", out, "--json")), &d); err != nil {
			t.Fatal(err)
		}
		if d.Candidate > 0 {
			if d.Sampling.Seed != fmt.Sprint(seed+d.Candidate) {
				t.Errorf("seed %s, candidate %d from %d on", d.Sampling.Seed, d.Candidate, seed)
			}
			return encode, d
		}
	}
	t.Fatal("the first candidate is always the best")
	return nil, inspect.Description{}
}

// TestCandidates: a file tells which candidate was chosen, decode paints it,
// and a budget holds.
func TestCandidates(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a.coclico")
	_, d := withCandidate(t, out, "--bytes", "100")
	if d.Bytes > 100 {
		t.Errorf("%d bytes", d.Bytes)
	}
	if text := succeed(t, "info", out); !strings.Contains(text, fmt.Sprintf(" seed %s (candidate %d),", d.Sampling.Seed, d.Candidate)) {
		t.Errorf("info without the candidate:\n%s", text)
	}
	if a, b := succeed(t, "decode", out, "-o", "-"), succeed(t, "decode", out, "-o", "-", "--seed", d.Sampling.Seed); a != b {
		t.Error("decode does not use the candidate's seed")
	}
	fail(t, process.Usage, []string{"--candidates 65: must be a whole number from 1 to 64"}, "encode", photo, "-o", out, "--candidates", "65")
	fail(t, process.Usage, []string{"--candidates has no effect: --raw writes"}, "encode", photo, "-o", out, "--raw", "--candidates", "2")
}

// TestContest: what candidates are judged by is not named like the paper's color
// score, which is another.
func TestContest(t *testing.T) {
	f, err := codec.Parse([]byte(succeed(t, "encode", photo, "-o", "-")))
	if err != nil {
		t.Fatal(err)
	}
	var c contest
	c.add(codec.Judgment{Distance: 0.125, AreaColorScore: 0.0123})
	if got, want := c.describe(f), "; seed 0, the best of 1: CLIP distance 0.1250, area color score 0.0123"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestManyCandidates: a batch takes a file for done if it has one of the
// candidates, and does not if it may have been made without any.
func TestManyCandidates(t *testing.T) {
	out := t.TempDir()
	encode, _ := withCandidate(t, filepath.Join(out, filepath.Base(photo)+streamExt))
	encode[3] = out
	if s := statusOf(t, encode...); s != "unchanged" {
		t.Errorf("the same command: %s", s)
	}
	plain := []string{"encode", photo, "-o", out, "--steps", "6", "--seed", encode[9]}
	if s := statusOf(t, plain...); s != "done" {
		t.Errorf("without candidates: %s", s)
	}
	if s := statusOf(t, plain...); s != "unchanged" {
		t.Errorf("without candidates again: %s", s)
	}
	if s := statusOf(t, encode...); s != "done" {
		t.Errorf("with candidates after a run without: %s", s)
	}
}

// statusOf returns what a run of many files reports of its only one.
func statusOf(t *testing.T, args ...string) string {
	t.Helper()
	var l fileLine
	if err := json.Unmarshal([]byte(succeed(t, append(args, "--json", "--jobs", "2")...)), &l); err != nil {
		t.Fatal(err)
	}
	return string(l.Status)
}

// TestHalfModelCandidates: half a model is an error that says what to pull.
func TestHalfModelCandidates(t *testing.T) {
	dir := atHome(t)
	half := filepath.Join(filepath.Dir(dir), "half")
	succeed(t, "models", "convert", dir, half, "--encoder-only")
	out := filepath.Join(t.TempDir(), "a.coclico")
	fail(t, process.Failed, []string{half, "decoder's half", "coclico pull --for both"}, "encode", photo, "-o", out, "--model", half, "--candidates", "2")
	if _, err := os.Stat(out); err == nil {
		t.Error("and yet there is a file")
	}
}

// TestInterruptedCandidates: Ctrl-C leaves a whole file with the best candidate
// so far, and the exit status of an interruption; a batch leaves none.
func TestInterruptedCandidates(t *testing.T) {
	for _, c := range []struct {
		latents int // 3 at the start, and one for each step
		says    string
	}{
		{4, "with the first candidate; none was judged"},
		{7, "with the best of 3 candidates so far"},
	} {
		dir := t.TempDir()
		out := filepath.Join(dir, "a.coclico")
		encode := []string{"encode", photo, "-o", out, "--steps", "6", "--candidates", "3"}
		r := coclicoIn(t, stopAfter(t, c.latents, "interrupt signal received"), nil, encode...)
		if want := "coclico: interrupted: " + out + " is whole, " + c.says + "\n"; r.status != process.Interrupted || r.stderr != want {
			t.Errorf("status %d, stderr %q, want %q", r.status, r.stderr, want)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := codec.Parse(data); err != nil {
			t.Error(err)
		}
		succeed(t, "decode", out, "-o", filepath.Join(dir, "a.png"))
		encode[3] = filepath.Join(dir, "many") + "/"
		r = coclicoIn(t, stopAfter(t, c.latents, "interrupt signal received"), nil, encode...)
		if r.status != process.Interrupted || !strings.Contains(r.stderr, "0 of 1 files encoded") {
			t.Errorf("many: status %d, stderr %q", r.status, r.stderr)
		}
	}
}

// TestMatchesCandidate: a file's candidate is one of those that the options
// paint, and it has the first one if they paint no others.
func TestMatchesCandidate(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", out)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := format.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		candidate  uint8
		candidates int
		want       bool
	}{{0, 0, true}, {0, 1, true}, {0, 2, false}, {1, 0, false}, {1, 1, false}, {1, 2, true}, {2, 2, false}, {2, 3, true}, {3, 3, false}, {3, 8, true}} {
		file, err := codec.Parse(plain.WithCandidate(c.candidate))
		if err != nil {
			t.Fatal(err)
		}
		e := &encoding{options: codec.EncodeOptions{Profile: file.Profile(), Bytes: file.Len(), Candidates: c.candidates}}
		if got := e.matches(file); got != c.want {
			t.Errorf("candidate %d of %d: matches is %v", c.candidate, c.candidates, got)
		}
	}
}
