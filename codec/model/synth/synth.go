// Package synth makes model folders whose weights are computed, not trained:
// configurations as diffusers would save them, those of the golden cases, and
// for every tensor the values of package weights' law. They serve tests and
// measurements at any size without a download. What such a model paints means
// nothing.
package synth

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
)

// configs holds, for every configuration, all files of its folder except the
// weights.
//
//go:embed configs
var configs embed.FS

// Names returns the names of the configurations: tiny has the topology of the
// real model and 5 million weights; tiny-768 also has its CLIP vectors of 768
// dimensions; unclip-l has all its dimensions and 1.6 billion weights.
func Names() []string { return []string{"tiny", "tiny-768", "unclip-l"} }

// Has reports whether a configuration of that name exists.
func Has(config string) bool { return slices.Contains(Names(), config) }

func files(config string) (fs.FS, error) {
	if !Has(config) {
		return nil, fmt.Errorf("no synthetic model %s", config)
	}
	return fs.Sub(configs, path.Join("configs", config))
}

// Folder opens a folder whose weights are computed when they are read.
func Folder(config string, seed int64) (*weights.Folder, error) {
	fsys, err := files(config)
	if err != nil {
		return nil, err
	}
	return weights.SyntheticFolder(fsys, "synthetic model "+config, seed)
}

// A part is a part with weights, and the tensors that the codec reads of it.
type part struct {
	weights.Part
	specs []weights.Spec
}

// file returns the path of the weights in the model's folder.
func (p part) file() string { return path.Join(string(p.Part), p.WeightFile()) }

// parts returns the parts with weights. Their tensors are known by asking the
// networks what they read.
func parts(config string) ([]part, error) {
	folder, err := Folder(config, 0)
	if err != nil {
		return nil, err
	}
	var all []part
	for _, p := range weights.Parts() {
		if !p.HasWeights() || !folder.Has(p) {
			continue
		}
		specs, err := model.Specs(folder, p)
		if err != nil {
			return nil, err
		}
		all = append(all, part{p, specs})
	}
	return all, nil
}

// Write writes a model folder with float16 weights. progress, which may be nil,
// is called from time to time with the bytes of weights written so far and in
// all. Every file is written under a temporary name, synced and renamed.
func Write(ctx context.Context, dir, config string, seed int64, progress func(done, total int64)) error {
	all, err := parts(config)
	if err != nil {
		return err
	}
	if err := writeConfigs(dir, config); err != nil {
		return err
	}
	w := &writer{ctx: ctx, progress: progress}
	for _, p := range all {
		for _, s := range p.specs {
			w.total += 2 * int64(weights.Tensor{Shape: s.Shape}.Len())
		}
	}
	for _, p := range all {
		err := weights.WriteFile(filepath.Join(dir, filepath.FromSlash(p.file())), func(to io.Writer) error {
			w.to = to
			return weights.WriteSynthetic(w, p.specs, seed)
		})
		if err != nil {
			return err
		}
	}
	return weights.SyncFolder(dir)
}

func writeConfigs(dir, config string) error {
	fsys, err := files(config)
	if err != nil {
		return err
	}
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o777)
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		return weights.WriteFile(to, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	})
}

// A writer reports the progress of what is written through it, and stops when
// its context ends.
type writer struct {
	ctx         context.Context
	to          io.Writer
	done, total int64
	progress    func(done, total int64)
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.to.Write(p)
	w.done += int64(n)
	if w.progress != nil {
		w.progress(min(w.done, w.total), w.total)
	}
	return n, err
}
