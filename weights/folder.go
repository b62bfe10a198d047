package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// maxConfig bounds config.json and model_index.json; those of Stable unCLIP
// have about 1 KB.
const maxConfig = 1 << 20

// A Folder is a diffusers model: a folder with a folder for each part. Symbolic
// links in it are followed, as the hub's cache consists of them.
type Folder struct {
	name   string
	dir    string // on disk, "" if the folder is only an fs.FS
	fsys   fs.FS
	absent []string // parts that the model index says are not there

	compute bool // SyntheticFolder
	seed    int64

	mu     sync.Mutex
	stores []*Store
}

// OpenFolder opens a model folder on disk. Its weights are memory-mapped.
//
// The folder's model_index.json must name a Stable unCLIP pipeline. A folder
// without that file is accepted if it has an image_encoder or a unet.
func OpenFolder(dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, named(dir, err)
	case !info.IsDir():
		return nil, fmt.Errorf("%s: is a file, a model folder is needed", show(dir))
	}
	return (&Folder{name: dir, dir: dir, fsys: os.DirFS(dir)}).checked()
}

// FolderFS opens a model folder in a file system, such as an embedded one. The
// name stands for it in messages. Weights are read into memory, or used where
// they are if an opened file has a method Bytes() []byte.
func FolderFS(fsys fs.FS, name string) (*Folder, error) {
	return (&Folder{name: name, fsys: fsys}).checked()
}

// SyntheticFolder opens a model folder without weights: it has configurations
// only, and each part's weights are [Synthetic].
func SyntheticFolder(fsys fs.FS, name string, seed int64) (*Folder, error) {
	return (&Folder{name: name, fsys: fsys, compute: true, seed: seed}).checked()
}

// Name returns the folder's path, or the name that FolderFS was given.
func (f *Folder) Name() string { return f.name }

// Path returns the name by which messages call a file of the folder.
func (f *Folder) Path(elem ...string) string {
	if f.dir != "" {
		return filepath.Join(append([]string{f.dir}, elem...)...)
	}
	return path.Join(append([]string{f.name}, elem...)...)
}

// checked reads the model index of a folder that is being opened.
func (f *Folder) checked() (*Folder, error) {
	if err := f.readIndex(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Folder) readIndex() error {
	const index = "model_index.json"
	data, err := f.read(index, maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.Has("image_encoder") || f.Has("unet") {
			return nil
		}
		return fmt.Errorf("%s: not a diffusers model folder: no %s in it", show(f.name), index)
	case err != nil:
		return err
	}
	f.absent, err = parseModelIndex(data)
	if err != nil {
		return named(f.Path(index), err)
	}
	return nil
}

// Has reports whether the folder has a part: a folder of that name, which the
// model index does not call absent.
func (f *Folder) Has(part string) bool {
	if !fs.ValidPath(part) || slices.Contains(f.absent, part) {
		return false
	}
	info, err := fs.Stat(f.fsys, part)
	return err == nil && info.IsDir()
}

// configs are the names of a part's configuration: of models, of schedulers
// and of the image processor.
var configs = []string{"config.json", "scheduler_config.json", "preprocessor_config.json"}

// ConfigName returns the path of a part's configuration, for messages.
func (f *Folder) ConfigName(part string) string {
	for _, name := range configs {
		if _, err := fs.Stat(f.fsys, path.Join(part, name)); err == nil {
			return f.Path(part, name)
		}
	}
	return f.Path(part, configs[0])
}

// Config returns a part's configuration: the content of its config.json,
// scheduler_config.json or preprocessor_config.json.
func (f *Folder) Config(part string) ([]byte, error) {
	if err := f.need(part); err != nil {
		return nil, err
	}
	for _, name := range configs {
		data, err := f.read(path.Join(part, name), maxConfig)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, fmt.Errorf("%s: no config.json in it", show(f.Path(part)))
}

func (f *Folder) need(part string) error {
	if !f.Has(part) {
		return fmt.Errorf("%s: the model has no %s", show(f.name), show(part))
	}
	return nil
}

// read returns the content of a small file.
func (f *Folder) read(name string, limit int64) ([]byte, error) {
	display := f.Path(name)
	info, err := fs.Stat(f.fsys, name)
	switch {
	case err != nil:
		return nil, named(display, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is not a regular file", show(display))
	}
	file, err := f.fsys.Open(name)
	if err != nil {
		return nil, named(display, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case err != nil:
		return nil, named(display, err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s: larger than %d bytes", show(display), limit)
	}
	return data, nil
}

// weightFiles are the names that a part's weights may have, in the order of
// preference: half precision first; diffusers' models, then transformers'.
var weightFiles = []string{
	"diffusion_pytorch_model.fp16.safetensors",
	"model.fp16.safetensors",
	"diffusion_pytorch_model.safetensors.index.fp16.json",
	"model.safetensors.index.fp16.json",
	"diffusion_pytorch_model.fp16.safetensors.index.json",
	"model.fp16.safetensors.index.json",
	"diffusion_pytorch_model.safetensors",
	"model.safetensors",
	"diffusion_pytorch_model.safetensors.index.json",
	"model.safetensors.index.json",
}

// Part opens the weights of a part. The store belongs to the folder, whose
// Close closes it.
func (f *Folder) Part(part string) (*Store, error) {
	if err := f.need(part); err != nil {
		return nil, err
	}
	if f.compute {
		return Synthetic(f.seed), nil
	}
	for _, name := range weightFiles {
		name = path.Join(part, name)
		if _, err := fs.Stat(f.fsys, name); err != nil {
			continue
		}
		open := f.openSingle
		if strings.HasSuffix(name, ".json") {
			open = f.openSharded
		}
		s, err := open(name)
		if err != nil {
			return nil, err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.stores = append(f.stores, s)
		return s, nil
	}
	return nil, f.noWeights(part)
}

// noWeights says why a part has no weights that can be read.
func (f *Folder) noWeights(part string) error {
	entries, err := fs.ReadDir(f.fsys, part)
	if err != nil {
		return named(f.Path(part), err)
	}
	for _, e := range entries {
		if slices.Contains(weightFiles, e.Name()) {
			return fmt.Errorf("%s: a link to a file that is not there", show(f.Path(part, e.Name())))
		}
	}
	for _, e := range entries {
		switch path.Ext(e.Name()) {
		case ".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".onnx":
			return fmt.Errorf("%s: weights must be a safetensors file", show(f.Path(part, e.Name())))
		}
	}
	return fmt.Errorf("%s: neither diffusion_pytorch_model.safetensors nor model.safetensors in it", show(f.Path(part)))
}

func (f *Folder) openSingle(name string) (*Store, error) {
	display := f.Path(name)
	var r *region
	var err error
	if f.dir != "" {
		r, err = openRegion(display)
	} else {
		r, err = openRegionFS(f.fsys, name, display)
	}
	if err != nil {
		return nil, err
	}
	return newStore(display, r)
}

func (f *Folder) openSharded(index string) (_ *Store, err error) {
	data, err := f.read(index, maxIndex)
	if err != nil {
		return nil, err
	}
	where, err := parseShards(data)
	if err != nil {
		return nil, named(f.Path(index), err)
	}
	var stores []*Store
	defer func() {
		if err != nil {
			for _, s := range stores {
				s.Close()
			}
		}
	}()
	shards := shardNames(where)
	var regions []*region
	for _, shard := range shards {
		s, err := f.openSingle(path.Join(path.Dir(index), shard))
		if err != nil {
			return nil, err
		}
		stores = append(stores, s)
		regions = append(regions, s.regions...)
	}
	tensors, err := merge(where, shards, stores)
	if err != nil {
		return nil, named(f.Path(index), err)
	}
	return storeOf(f.Path(index), tensors, regions), nil
}

// Drop closes one store of the folder, as after an error with which nobody has
// a use for it, and forgets it. It does nothing with a store of something else.
func (f *Folder) Drop(s *Store) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.stores, s)
	if i < 0 {
		return nil
	}
	f.stores = slices.Delete(f.stores, i, i+1)
	return s.Close()
}

// Close closes the stores of all parts.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, s := range f.stores {
		errs = append(errs, s.Close())
	}
	f.stores = nil
	return errors.Join(errs...)
}
