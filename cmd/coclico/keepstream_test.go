package main

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
)

// TestKeepStream: encode returns what decode kept, unless other bytes are
// requested.
func TestKeepStream(t *testing.T) {
	dir := t.TempDir()
	file, again := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "again.png")
	succeed(t, "encode", photo, "-o", file)
	succeed(t, "decode", file, "-o", again, "--steps", "1", "--size", "32", "--keep-stream")
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	same := func(args ...string) bool {
		t.Helper()
		return succeed(t, append([]string{"encode", again, "-o", "-"}, args...)...) == string(want)
	}
	if !same() || same("--from-pixels") || same("--map-size", "4") {
		t.Error("a PNG must return its stream by default and only then")
	}
	succeed(t, "encode", again, photo, "-o", filepath.Join(dir, "out"))
	if data, err := os.ReadFile(filepath.Join(dir, "out", "again.png.coclico")); err != nil || !bytes.Equal(data, want) {
		t.Errorf("among many it returns %d bytes (%v)", len(data), err)
	}
	many := []string{"encode", again, "-o", filepath.Join(dir, "out")}
	old(t, dir)
	succeed(t, append(many, "--force")...)
	for i, fresh := range []string{"false", "true", "true", "false", "false"} { // every other run has work
		want := fmt.Sprintf("%d encoded", i%2)
		if line := succeed(t, append(many, "--from-pixels="+fresh)...); !strings.HasPrefix(line, want) {
			t.Errorf("run %d, --from-pixels=%s: %s", i, fresh, line)
		}
	}
	data, err := os.ReadFile(again)
	if err != nil || !bytes.Contains(data, []byte("Generated picture")) || !bytes.Contains(data, []byte("seed 0")) {
		t.Errorf("the PNG does not record how it was made (%v)", err)
	}
	f, err := os.Open(again)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	parsed, err := codec.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("", pflag.PanicOnError)
	how := options.Decode(flags)
	if err := flags.Parse([]string{"--size=32", "--steps=1"}); err != nil {
		t.Fatal(err)
	}
	given, err := how()
	if err != nil {
		t.Fatal(err)
	}
	d := &decoding{shelf: new(shelf), how: given}
	if !picture.Says(f, picture.Options{Notes: d.notes(parsed)}) {
		t.Error("the PNG does not record it in the words that decode looks for")
	}
}

// TestKeptModel: with --model the pixels are encoded, with that model.
func TestKeptModel(t *testing.T) {
	dir, model := t.TempDir(), tinyModel(t)
	file, kept, again := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png"), filepath.Join(dir, "b.coclico")
	succeed(t, "encode", photo, "-o", file)
	succeed(t, "decode", file, "-o", kept, "--steps", "1", "--size", "32", "--keep-stream")
	succeed(t, "encode", kept, "-o", again, "--model", model)
	if text := succeed(t, "info", again, "--model", model); !strings.Contains(text, "32 dimensions") || strings.Contains(text, "not read") {
		t.Errorf("a file of another model than the requested one:\n%s", text)
	}
	t.Setenv(modelVar, filepath.Join(dir, "nowhere")) // returning a stream opens no model
	if data, err := os.ReadFile(file); err != nil || succeed(t, "encode", kept, "-o", "-") != string(data) {
		t.Errorf("the stream is not returned (%v)", err)
	}
}

// TestKeptNoFile: what a PNG holds is not returned as a file if it is not one.
func TestKeptNoFile(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	bits, raw, long := filepath.Join(dir, "bits"), filepath.Join(dir, "raw.png"), filepath.Join(dir, "long.png")
	if err := os.WriteFile(bits, make([]byte, 120), 0o666); err != nil {
		t.Fatal(err)
	}
	succeed(t, "decode", bits, "-o", raw, "--raw", "--steps", "1", "--size", "16", "--keep-stream")
	encode, err := picture.EncoderFor(long)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := encode(&b, image.NewGray(image.Rect(0, 0, 9, 9)), picture.Options{Stream: append([]byte{0xc0, 0}, make([]byte, 200)...)}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(long, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{raw: "not a .coclico file", long: "longer than its parameters allow"} {
		fail(t, process.Failed, []string{path + ": the stream that it holds", says, "--from-pixels"}, "encode", path, "-o", filepath.Join(out, "a.coclico"))
		onlyFiles(t, out)
		succeed(t, "encode", path, "-o", filepath.Join(dir, "a.coclico"), "--from-pixels")
		if data := succeed(t, "encode", path, "-o", "-", "--raw"); len(data) != 120 {
			t.Errorf("%s: %d raw bytes", path, len(data))
		}
	}
	old(t, dir)
	if err := os.WriteFile(filepath.Join(out, "raw.png.coclico"), make([]byte, 120), 0o666); err != nil { // as old versions wrote
		t.Fatal(err)
	}
	if r := coclico(t, "encode", raw, long, "-o", out); r.status != process.Failed || strings.Count(r.stderr, "--from-pixels") != 2 {
		t.Errorf("among many: status %d, %s", r.status, r.stderr)
	}
}
