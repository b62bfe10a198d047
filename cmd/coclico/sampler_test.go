package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// TestSamplerFlags: every sampler paints its own picture, which records it, and
// the default by its name paints the default's.
func TestSamplerFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", file)
	paint := func(args ...string) (pixels, comment string) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "a.png")
		succeed(t, append([]string{"decode", file, "-o", out, "--steps", "8"}, args...)...)
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		at := strings.Index(string(data), "IDAT")
		for _, line := range strings.Split(string(data[:at]), "\x00") {
			if strings.HasPrefix(line, "steps ") {
				comment, _, _ = strings.Cut(line, "\n")
			}
		}
		return string(data[at:]), comment
	}
	base, plain := paint()
	if strings.Contains(plain, "sampler") || !strings.Contains(plain, "noise level 0") {
		t.Errorf("the default records %q", plain)
	}
	seen := map[string]bool{base: true}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--sampler", "ddim"}, ", sampler ddim"},
		{[]string{"--sampler", "dpm++3m"}, ", sampler dpm++3m"},
		{[]string{"--sampler", "dpm++2m-sde"}, ", sampler dpm++2m-sde"},
		{[]string{"--sampler", "unipc"}, ", sampler unipc"},
		{[]string{"--sampler", "unipc3", "--schedule", "karras"}, ", sampler unipc3, schedule karras"},
		{[]string{"--schedule", "trailing"}, ", schedule trailing"},
		{[]string{"--guidance-rescale", "0.7"}, ", guidance rescale 0.7"},
		{[]string{"--guidance-interval", "0-0.5"}, ", guidance interval 0-0.5"},
		{[]string{"--apg", "0"}, ", APG 0,0,0"},
		{[]string{"--apg", "0.2,9,-0.5"}, ", APG 0.2,9,-0.5"},
	} {
		pixels, comment := paint(c.args...)
		if seen[pixels] {
			t.Errorf("%v paints what another sampler does", c.args)
		}
		seen[pixels] = true
		if !strings.Contains(comment, c.says) {
			t.Errorf("%v records %q", c.args, comment)
		}
	}
	if pixels, _ := paint("--sampler", "dpm++2m", "--schedule", "linspace", "--guidance-interval", "0-1"); pixels != base {
		t.Error("the default by its name paints another picture")
	}
}

// TestNoEffectOnFile: what would change nothing is told of the one file by its
// name; of many, it is for those that it changes, and no other records it.
func TestNoEffectOnFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, args ...string) string {
		path := filepath.Join(dir, "in", name+".coclico")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		succeed(t, append([]string{"encode", photo, "-o", path}, args...)...)
		return path
	}
	file("plain")
	unguided, still, paper := file("unguided", "--guidance", "1"), file("still", "--strength", "0"), file("paper", "--profile", "paper")
	out := filepath.Join(dir, "x.png")
	for _, c := range []struct {
		why  string
		args []string
	}{
		{"--guidance-rescale has no effect: guidance 1", []string{unguided, "--guidance-rescale", "0.7"}},
		{"--negative-prompt has no effect: guidance 1", []string{unguided, "--negative-prompt", "fog"}},
		{"--schedule has no effect: strength 0 runs none", []string{still, "--schedule", "karras"}},
		{"--apg has no effect: strength 0 runs none", []string{still, "--apg", "0"}},
		{"--no-projection has no effect: the file is of the paper's", []string{paper, "--no-projection"}},
	} {
		fail(t, process.Usage, []string{c.args[0] + ": " + c.why}, append([]string{"decode", "-o", out}, c.args...)...)
	}
	succeed(t, "decode", unguided, "-o", out, "--size", "32", "--steps", "2", "--guidance", "2", "--guidance-rescale", "0.7")
	succeed(t, "decode", filepath.Join(dir, "in"), "-o", filepath.Join(dir, "out"), "--size", "32", "--steps", "2", "--schedule", "karras", "--apg", "0", "--no-projection")
	for name, want := range map[string][2]bool{"plain": {true, true}, "unguided": {true, false}, "still": {false, false}} {
		data, err := os.ReadFile(filepath.Join(dir, "out", "in", name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{bytes.Contains(data, []byte(", schedule karras")), bytes.Contains(data, []byte(", APG "))}; got != want {
			t.Errorf("%s records the schedule and APG: %v, want %v", name, got, want)
		}
	}
}
