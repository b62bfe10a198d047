package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/coclico/coclico/bench/iqa"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/foreign"
)

// isTensorFile reports whether path names a file and not a model.
func isTensorFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// convertFile writes the tensors of a .pth or .npz file as a safetensors file,
// which must not exist. Those of google-research's MUSIQ get the names and the
// order that they have in PyTorch.
func convertFile(ctx context.Context, s *terminal.Screen, in, out string) error {
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s: already exists", out)
	}
	if filepath.Ext(out) != ".safetensors" {
		return usagef("%s becomes a safetensors file: %s needs that ending", in, out)
	}
	bar := s.Bar()
	defer bar.Close()
	tensors, size, err := writeTensors(ctx, bar, in, out, nil)
	bar.Close()
	if err != nil {
		return err
	}
	noun := "tensors"
	if tensors == 1 {
		noun = "tensor"
	}
	_, err = fmt.Fprintf(s.Out, "%s: %d %s, %s\n", out, tensors, noun, terminal.ByteCount(size))
	return err
}

// writeTensors converts a file and returns how many tensors it wrote, and their
// bytes. If keep is not nil, only the tensors that it accepts are written.
func writeTensors(ctx context.Context, bar *terminal.Bar, in, out string, keep func(name string) bool) (count int, size int64, err error) {
	open := foreign.Open
	if strings.HasSuffix(in, ".safetensors") {
		open = weights.OpenFile
	}
	store, err := open(in)
	if err != nil {
		return 0, 0, err
	}
	defer store.Close()
	tensors, err := tensorsOf(store)
	if err != nil {
		return 0, 0, weights.NewFileError(in, err)
	}
	var kept []weights.Tensor
	for _, t := range tensors {
		if keep == nil || keep(t.Name) {
			kept = append(kept, t)
			size += int64(len(t.Data))
		}
	}
	if len(kept) == 0 {
		return 0, 0, weights.NewFileError(in, errors.New("has none of the tensors that are needed"))
	}
	err = weights.WriteFile(out, func(w io.Writer) error { return weights.WriteTensors(ctx, w, kept, bar.Bytes) })
	return len(kept), size, err
}

func tensorsOf(store *weights.Store) ([]weights.Tensor, error) {
	if iqa.IsFlax(store) {
		return iqa.FromFlax(store)
	}
	var tensors []weights.Tensor
	for _, name := range store.Names() {
		t, _ := store.Lookup(name)
		tensors = append(tensors, t)
	}
	return tensors, nil
}
