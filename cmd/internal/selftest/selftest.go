// Package selftest checks this machine's kernels against the reference
// implementation. It needs no files: the weights of the tiny model follow a
// law, and the outputs of diffusers and transformers for four inputs are
// embedded in the program.
package selftest

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/coclico/coclico/cmd/internal/verify"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/model/synth"
)

// golden holds the cases vision, text, unet_wide and vae of the tiny model with
// seed 1, which bench/golden/golden.py makes, without the tensors mid/.
//
//go:embed golden
var golden embed.FS

// Run computes the cases of the tiny model at both precisions. The error, which
// is one line, names the first tensor out of bounds.
func Run(ctx context.Context) error {
	cases, err := fs.Sub(golden, "golden")
	if err != nil {
		return err
	}
	return run(ctx, cases)
}

func run(ctx context.Context, cases fs.FS) error {
	dir, err := os.MkdirTemp("", "coclico-selftest-")
	if err != nil {
		return fmt.Errorf("no room for its cases: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, cases); err != nil {
		return err
	}
	folder, err := synth.Folder("tiny", 1)
	if err != nil {
		return err
	}
	defer folder.Close()
	for _, exact := range []bool{true, false} {
		var out strings.Builder
		ok, err := verify.Run(ctx, &out, model.New(folder), exact, []string{dir})
		if err != nil {
			return err
		}
		if !ok {
			text := strings.TrimSpace(strings.ReplaceAll(out.String(), dir+string(os.PathSeparator), "")) // it will be gone
			return fmt.Errorf("this machine computes wrong: %s", text[strings.LastIndexByte(text, '\n')+1:])
		}
	}
	return nil
}
