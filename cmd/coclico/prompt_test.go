package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// TestPrompts: decode paints with prompts, records them in the picture, and
// says when a model knows no words.
func TestPrompts(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.coclico")
	t.Setenv("COCLICO_MODEL", tinyModel(t))
	succeed(t, "encode", photo, "-o", file)
	paint := func(args ...string) []byte {
		t.Helper()
		output := filepath.Join(dir, "a.png")
		succeed(t, append([]string{"decode", file, "-o", output, "--size", "32", "--steps", "2", "--force"}, args...)...)
		data, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	plain := paint()
	if !bytes.Equal(plain, paint("--prompt", "")) {
		t.Error("the empty prompt paints another picture")
	}
	for _, args := range [][]string{{"--prompt", "a fox é"}, {"--negative-prompt", "a fox é"}} {
		data := paint(args...)
		if note := strings.TrimPrefix(args[0], "--"); !strings.Contains(string(data), strings.ReplaceAll(note, "-", " ")+` "a fox \u00e9"`) {
			t.Errorf("%v: the picture does not record it", args)
		}
		if bytes.Equal(plain, data) {
			t.Errorf("%v paints the same picture", args)
		}
	}
	words := filepath.Join(dir, "words.coclico")
	succeed(t, "encode", photo, "-o", words, "--prompt", "a photo of  a fox")
	if out := succeed(t, "info", words); !strings.Contains(out, "prompt:      a photo of a fox\n") || !strings.Contains(out, "prompt 5.9, CLIP vector") {
		t.Errorf("info: %s", out)
	}
	if out := succeed(t, "info", words, "--json"); !strings.Contains(out, `"prompt":"a photo of a fox"`) || !strings.Contains(out, `"prompt":5.875`) {
		t.Errorf("info --json: %s", out)
	}
	if out := succeed(t, "info", file) + succeed(t, "info", file, "--json"); strings.Contains(out, "prompt") {
		t.Errorf("info of a file without a prompt: %s", out)
	}
	file = words
	if data := paint(); !strings.Contains(string(data), `prompt "a photo of a fox"`) {
		t.Error("the picture does not record the file's prompt")
	}
	without := filepath.Join(dir, "without")
	succeed(t, "models", "convert", os.Getenv("COCLICO_MODEL"), without, "--constant-context")
	fail(t, process.Failed, []string{words + ": ", "in place of its text encoder", `--prompt ""`}, "decode", words, "-o", filepath.Join(dir, "b.png"), "--model", without)
	fail(t, process.Usage, []string{"--raw", "--prompt"}, "encode", photo, "-o", words, "--raw", "--prompt", "a")
	file = filepath.Join(dir, "a.coclico")
	t.Setenv("COCLICO_MODEL", "built-in")
	succeed(t, "encode", photo, "-o", file)
	fail(t, process.Failed, []string{"the built-in model knows no words"}, "decode", file, "-o", filepath.Join(dir, "b.png"), "--prompt", "a fox")
	fail(t, process.Usage, []string{"prompt of 1025 bytes"}, "decode", file, "-o", filepath.Join(dir, "b.png"), "--prompt", strings.Repeat("a", 1025))
}

// TestManyPrompts: a batch takes a file for done if it has the same prompt.
func TestManyPrompts(t *testing.T) {
	t.Setenv("COCLICO_MODEL", tinyModel(t))
	encode := []string{"encode", photo, "-o", t.TempDir()}
	for _, k := range []struct{ prompt, want string }{
		{"a  fox", "done"}, {"a fox", "unchanged"}, {"a boat", "done"}, {"", "done"}, {"", "unchanged"}, {"a fox", "done"},
	} {
		if s := statusOf(t, append(encode, "--prompt", k.prompt)...); s != k.want {
			t.Errorf("prompt %q: %s, want %s", k.prompt, s, k.want)
		}
	}
}
