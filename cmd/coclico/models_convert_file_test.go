package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// testTensors is where weights/foreign has files of torch.save and numpy.savez.
const testTensors = "../../weights/foreign/testdata/"

func TestConvertFile(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.safetensors")
	for _, c := range []struct{ in, want string }{
		{"plain.pth", "5 tensors"}, {"params.pth", "7 tensors"}, {"13_laughs.pth", "1 tensor,"},
	} {
		got := succeed(t, "models", "convert", testTensors+c.in, out)
		if !bytes.Contains([]byte(got), []byte(out+": "+c.want)) {
			t.Errorf("%s: %q", c.in, got)
		}
		if c.in == "plain.pth" { // the metadata alone differs from what Python writes
			want, err := os.ReadFile(testTensors + "plain.safetensors")
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			const body = 96 // bytes at the end
			if !bytes.Equal(data[len(data)-body:], want[len(want)-body:]) {
				t.Error("the tensors have other bytes")
			}
		}
		fail(t, process.Failed, []string{out, "already exists"}, "models", "convert", testTensors+c.in, out)
		if err := os.Remove(out); err != nil {
			t.Fatal(err)
		}
	}
	fail(t, process.Failed, []string{"arrays.npz", "not a checkpoint of MUSIQ"}, "models", "convert", testTensors+"arrays.npz", out)
	fail(t, process.Failed, []string{"01_forbidden_global.pth", "os.system"}, "models", "convert", testTensors+"01_forbidden_global.pth", out)
	fail(t, process.Failed, []string{"06_legacy.pth", "before version 1.6"}, "models", "convert", testTensors+"06_legacy.pth", out)
	fail(t, process.Usage, []string{"ending"}, "models", "convert", testTensors+"plain.pth", "out.pth")
	fail(t, process.Usage, []string{"--clamp has no effect"}, "models", "convert", testTensors+"plain.pth", out, "--clamp")
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused file left something")
	}
}

// TestConvertFileStops: Ctrl-C leaves nothing of a file.
func TestConvertFileStops(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := coclicoIn(t, ctx, nil, "models", "convert", testTensors+"plain.pth", filepath.Join(dir, "out.safetensors"))
	if r.status != process.Interrupted || r.stderr != "coclico: interrupted\n" {
		t.Errorf("status %d, stderr %q", r.status, r.stderr)
	}
	onlyFiles(t, dir)
}
