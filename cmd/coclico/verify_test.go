package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestVerifyCases runs the two lines of the README with the cases that the
// repository has.
func TestVerifyCases(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tiny")
	succeed(t, "synth", dir, "--config", "tiny", "--seed", "1")
	for _, precision := range []string{"exact", "fast"} {
		out := succeed(t, "verify", "--model", dir, "--precision", precision, "../../bench/golden/cases/tiny")
		if !strings.Contains(out, "9 cases, ") || !strings.Contains(out, "all in bounds") {
			t.Errorf("%s: verify prints\n%s", precision, out)
		}
		for _, kind := range []string{"vision", "text", "vae", "unet_square", "unet_wide", "roundtrip", "condition", "schedules", "randn"} {
			if !strings.Contains(out, filepath.Join("cases", "tiny", kind+".safetensors")) {
				t.Errorf("%s: no case %s was verified", precision, kind)
			}
		}
	}
}
