package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec/model/synth"
)

// TestAnyModel: files of another model are decoded with --any-model, and not
// with --force.
func TestAnyModel(t *testing.T) {
	model, other, dir := tinyModel(t), filepath.Join(t.TempDir(), "other"), t.TempDir()
	if err := synth.Write(t.Context(), other, "tiny", 2, nil); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a.coclico")
	succeed(t, "encode", photo, "-o", file, "--model", model)
	for name, out := range map[string]string{"one": filepath.Join(dir, "a.png"), "many": filepath.Join(dir, "out") + "/"} {
		decode := []string{"decode", file, "-o", out, "--steps", "1", "--model", other}
		for _, args := range [][]string{decode, append(decode, "--force")} {
			if r := coclico(t, args...); r.status != process.Failed || !strings.Contains(r.stderr, file+": made with another model") || !strings.Contains(r.stderr, "--any-model decodes anyway") {
				t.Errorf("%s, %v: status %d, %s", name, args, r.status, r.stderr)
			}
		}
		succeed(t, append(decode, "--any-model")...)
	}
	again := []string{"decode", file, "-o", filepath.Join(dir, "out") + "/", "--steps", "1", "--model", other, "--any-model"}
	if line := succeed(t, again...); !strings.HasPrefix(line, "0 decoded, 1 unchanged") {
		t.Errorf("again: %s", line)
	}
	fail(t, process.Failed, []string{file, "32 CLIP dimensions, for a model that has 768"}, "decode", file, "-o", filepath.Join(dir, "b.png"), "--any-model") // vectors of another size
}
