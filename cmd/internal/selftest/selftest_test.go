package selftest

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

func TestRun(t *testing.T) {
	if err := Run(context.Background()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestRunFinds checks that a wrong number is found.
func TestRunFinds(t *testing.T) {
	names, err := fs.Glob(golden, "golden/*vision*")
	if err != nil || len(names) != 1 {
		t.Fatalf("cases %v (%v)", names, err)
	}
	data, err := golden.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 { // the last values of the last tensor
		data[len(data)-1-i] ^= 0x40
	}
	err = run(context.Background(), fstest.MapFS{path.Base(names[0]): {Data: data}})
	if err == nil || !strings.Contains(err.Error(), "the first is vision.safetensors: out/") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}
