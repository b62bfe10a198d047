package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
