package main

import (
	"go/parser"
	"go/token"
	"image"
	"os"
	"path/filepath"
	"testing"
)

// TestWritePlans: the table takes the place of the old file, which is not
// written into and so is whole at any moment.
func TestWritePlans(t *testing.T) {
	path, old := filepath.Join(t.TempDir(), "plans.go"), filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, old); err != nil {
		t.Skip(err)
	}
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i / 64)
	}
	if err := writePlans(path, []picture{{"p", img}}); err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), path, nil, 0); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(old); err != nil || string(data) != "old" {
		t.Errorf("the old file became %.40q (%v)", data, err)
	}
}
