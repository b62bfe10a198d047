package main

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/weights"
)

// inBFloat16 copies a model's folder and rounds all of its weights.
func inBFloat16(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bfloat16")
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, part := range weights.Parts() {
		if !part.HasWeights() || part == weights.PromptEmbeds {
			continue
		}
		s, err := weights.OpenFile(filepath.Join(dir, string(part), part.WeightFile()))
		if err != nil {
			t.Fatal(err)
		}
		var specs []weights.Spec
		for _, name := range s.Names() {
			x, _ := s.Lookup(name)
			specs = append(specs, weights.Spec{Name: name, DType: weights.BF16, Shape: x.Shape})
		}
		err = weights.WriteFile(filepath.Join(out, string(part), part.WeightFile()), func(w io.Writer) error {
			return weights.WriteSafetensors(w, specs, func(i int, w io.Writer) error {
				x, _ := s.Lookup(specs[i].Name)
				var b []byte
				for _, v := range x.Float32s() {
					bits := math.Float32bits(v)
					b = binary.LittleEndian.AppendUint16(b, uint16((bits+0x7fff+bits>>16&1)>>16))
				}
				_, err := w.Write(b)
				return err
			})
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestBFloat16Copy: a copy of a model in bfloat16 has the fingerprint of its
// original, and decodes its files, where the original is on the machine. Alone
// it says what it lacks.
func TestBFloat16Copy(t *testing.T) {
	dir := atHome(t)
	copied := inBFloat16(t, dir)
	succeed(t, "models", "add", "copy", copied)
	if d := listed(t)["copy"]; d.Fingerprint != "" || !strings.Contains(d.Problem, "image_normalizer") || !strings.Contains(d.Problem, "bfloat16") {
		t.Errorf("alone: %+v", d)
	}
	file := filepath.Join(t.TempDir(), "a.coclico")
	fail(t, process.Failed, []string{"image_normalizer", "bfloat16"}, "encode", photo, "-o", file, "--model", "copy")
	succeed(t, "models", "add", "original", dir)
	all := listed(t)
	if d := all["copy"]; d.Fingerprint == "" || d.Fingerprint != all["original"].Fingerprint || d.Precision != "bfloat16" || d.Problem != "" {
		t.Errorf("%+v is a copy of %+v", d, all["original"])
	}
	succeed(t, "encode", photo, "-o", file, "--model", "original")
	succeed(t, "decode", file, "-o", file+".png", "--steps", "2", "--model", "copy")
	succeed(t, "models", "check", "copy")
	// The statistics alone are enough of the original.
	if err := os.RemoveAll(filepath.Join(dir, "unet")); err != nil {
		t.Fatal(err)
	}
	succeed(t, "decode", file, "-o", file+"2.png", "--steps", "2", "--model", "copy")
	// Converted, its networks are float16 and its statistics as they were.
	out := filepath.Join(t.TempDir(), "out")
	succeed(t, "models", "convert", "copy", out)
	if d := listed(t)["copy"]; d.Fingerprint != all["original"].Fingerprint {
		t.Errorf("%+v", d)
	}
}
