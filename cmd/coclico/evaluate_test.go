package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// TestEvaluate: the table is printed and written, with what is absent; a second
// run prints the same.
func TestEvaluate(t *testing.T) {
	dir, out := pictures(t, 0), filepath.Join(t.TempDir(), "out")
	t.Setenv("COCLICO_METRICS", t.TempDir())
	args := []string{"evaluate", dir, "-o", out, "--rows", "input,paper,thumbhash", "--size", "64"}
	table := succeed(t, args...)
	for _, want := range []string{
		"# 2 pictures at 64 x 64", "| CoCliCo, paper | ", "| ThumbHash | 24 | 0.0469 | - | - |",
		"* MUSIQ: no weights: coclico pull --metrics", "* MS-SSIM: a picture of 64x64 is too small",
		"* aesthetics: needs the vectors of CLIP ViT-L/14", "* Model: built-in model ", "which paints 128 x 128 pixels by itself; coclico " + build() + ".",
		"| CoCliCo | the CoCliCo paper, Table I |",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	if got := succeed(t, args...); got != table {
		t.Errorf("the second run printed\n%s\nafter\n%s", got, table)
	}
	onlyFiles(t, out, "pictures", "records.jsonl", "report.html", "table.csv", "table.md", "table.tex")
	data, err := os.ReadFile(filepath.Join(out, "table.md"))
	if err != nil || string(data) != table {
		t.Errorf("table.md is not what was printed: %v", err)
	}
}

// TestEvaluateProblems: problems are in the table, and the exit status tells.
func TestEvaluateProblems(t *testing.T) {
	dir := pictures(t, 0)
	if err := os.WriteFile(filepath.Join(dir, "broken.jpg"), []byte("nonsense"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // whose own name may have characters that Markdown escapes
	if err := os.Mkdir("peer", 0o777); err != nil {
		t.Fatal(err)
	}
	r := coclico(t, "evaluate", dir, "-o", t.TempDir(), "--rows", "thumbhash,peer-x", "--peer", "X=peer")
	if r.status != process.Failed || !strings.Contains(r.stdout, "* X: a.png: no picture named a in peer\n") ||
		!strings.Contains(r.stdout, "* broken.jpg: not a picture that can be read") || !strings.Contains(r.stderr, "3 problems, listed below the table") {
		t.Errorf("status %d\n%s\n%s", r.status, r.stdout, r.stderr)
	}
}

func TestEvaluateUsage(t *testing.T) {
	dir, out := pictures(t, 0), t.TempDir()
	fail(t, process.Usage, []string{"evaluate needs an output"}, "evaluate", dir)
	fail(t, process.Usage, []string{"evaluate takes one DIR, not 2"}, "evaluate", dir, dir, "-o", out)
	fail(t, process.Usage, []string{"--paint is for --figures"}, "evaluate", dir, "-o", out, "--paint")
	fail(t, process.Usage, []string{"-o " + dir + " is the folder of the pictures"}, "evaluate", dir+"/.", "-o", dir)
	fail(t, process.Usage, []string{"--peer x: a peer is NAME=PICTURES"}, "evaluate", dir, "-o", out, "--peer", "x")
	fail(t, process.Usage, []string{"--set imagenet: must be any, kodak, clic, div2k or landscape"}, "evaluate", dir, "-o", out, "--set", "imagenet")
	fail(t, process.Usage, []string{"--rows x: no such row; the rows are input, paper"}, "evaluate", dir, "-o", out, "--rows", "x")
	fail(t, process.Usage, []string{"--rows tuned: needs row paper, whose bytes it is to have, or a number of bytes"}, "evaluate", dir, "-o", out, "--rows", "tuned")
	fail(t, process.Usage, []string{"--size 100: must be a multiple of 8"}, "evaluate", dir, "-o", out, "--size", "100")
	for _, c := range [][]string{
		{"--peer X: its row, peer-x, is not among", "--rows", "paper", "--peer", "X=" + dir},
		{"--bytes 200: none of the rows", "--rows", "paper", "--bytes", "200"},
		{"--timeout 5s: none of the rows", "--rows", "paper,tuned", "--timeout", "5"},
	} {
		fail(t, process.Usage, c[:1], append([]string{"evaluate", dir, "-o", out}, c[1:]...)...)
	}
	fail(t, process.Failed, []string{"has no pictures"}, "evaluate", t.TempDir(), "-o", out)
	fail(t, process.Failed, []string{"/nonexistent: no such file"}, "evaluate", "/nonexistent", "-o", out)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := coclicoIn(t, ctx, nil, "evaluate", dir, "-o", out); !strings.Contains(r.stderr, "interrupted with 0 of 2 pictures done; the same command resumes") {
		t.Errorf("interrupted: %q", r.stderr)
	}
}

// TestEvaluateSynthetic: scores of weights without training are not taken for
// others.
func TestEvaluateSynthetic(t *testing.T) {
	dir := pictures(t, 0)
	if err := os.Remove(filepath.Join(dir, "b.png")); err != nil {
		t.Fatal(err)
	}
	table := succeed(t, "evaluate", dir, "-o", t.TempDir(), "--rows", "thumbhash", "--size", "64", "--synthetic-metrics")
	if strings.Count(table, "**SYNTHETIC: ") != 2 || strings.Count(table, " synthetic |") != 7 || strings.Count(table, "(synthetic)") != 7 {
		t.Errorf("%s", table)
	}
}
