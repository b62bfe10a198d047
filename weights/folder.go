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
// have about 1 kB.
const maxConfig = 1 << 20

// A Folder is a diffusers model: a folder with a folder for each part. Symbolic
// links in it are followed, because the hub's cache consists of them.
type Folder struct {
	name   string
	dir    string // on disk; "" if the folder is only an fs.FS
	fsys   fs.FS
	absent []Part // listed as absent by the model index

	compute bool // SyntheticFolder
	seed    int64

	borrowed map[Part]*Folder

	mu     sync.Mutex
	stores []*Store
}

// OpenFolder opens a model folder on disk. Its weights are memory-mapped.
//
// The folder's model_index.json must name a Stable unCLIP pipeline. A folder
// without that file is accepted if it has an image encoder or a UNet.
func OpenFolder(dir string) (*Folder, error) {
	if dir == "" {
		return nil, errors.New("no model folder: its name is empty")
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, NewFileError(dir, err)
	case !info.IsDir():
		return nil, fileErrorf(dir, "is a file, a model folder is needed")
	}
	return (&Folder{name: dir, dir: dir, fsys: os.DirFS(dir)}).checked()
}

// FolderFS opens a model folder in a file system, such as an embedded one,
// which messages call by the given name. Weights are read into memory, or used
// in place if an opened file has a method Bytes() []byte.
func FolderFS(fsys fs.FS, name string) (*Folder, error) {
	return (&Folder{name: name, fsys: fsys}).checked()
}

// SyntheticFolder opens a model folder that has only configurations. The
// weights of each part are [Synthetic].
func SyntheticFolder(fsys fs.FS, name string, seed int64) (*Folder, error) {
	return (&Folder{name: name, fsys: fsys, compute: true, seed: seed}).checked()
}

// Borrow makes f use a part of another folder as its own. It must be called
// before f is used; from then belongs to f, whose Close closes it.
func (f *Folder) Borrow(part Part, from *Folder) {
	if f.borrowed == nil {
		f.borrowed = make(map[Part]*Folder)
	}
	f.borrowed[part] = from
}

// owner returns the folder whose part is used: f, unless f has borrowed it.
func (f *Folder) owner(part Part) *Folder {
	if from := f.borrowed[part]; from != nil {
		return from
	}
	return f
}

// Name returns the folder's path, or the name that was given to [FolderFS].
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
		if f.Has(ImageEncoder) || f.Has(UNet) {
			return nil
		}
		return fileErrorf(f.name, "not a diffusers model folder: no %s in it", index)
	case err != nil:
		return err
	}
	f.absent, err = parseModelIndex(data)
	if err != nil {
		return NewFileError(f.Path(index), err)
	}
	return nil
}

// Has reports whether the folder has a part: a folder of that name, which the
// model index does not list as absent.
func (f *Folder) Has(part Part) bool {
	f = f.owner(part)
	if !fs.ValidPath(string(part)) || slices.Contains(f.absent, part) {
		return false
	}
	info, err := fs.Stat(f.fsys, string(part))
	return err == nil && info.IsDir()
}

// PartPath returns the name by which messages call a part's folder.
func (f *Folder) PartPath(part Part) string { return f.owner(part).Path(string(part)) }

// ConfigName returns the name by which messages call a part's configuration.
func (f *Folder) ConfigName(part Part) string {
	return f.owner(part).Path(string(part), part.Config())
}

// Config returns the content of a part's configuration file.
func (f *Folder) Config(part Part) ([]byte, error) {
	f = f.owner(part)
	if err := f.need(part); err != nil {
		return nil, err
	}
	name := part.Config()
	if name == "" {
		return nil, fileErrorf(f.PartPath(part), "a part without a configuration")
	}
	data, err := f.read(path.Join(string(part), name), maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fileErrorf(f.PartPath(part), "no %s in it", name)
	}
	return data, err
}

// PartFS returns the files of a part, for what is neither a configuration nor
// weights: a tokenizer's vocabulary.
func (f *Folder) PartFS(part Part) (fs.FS, error) {
	f = f.owner(part)
	if err := f.need(part); err != nil {
		return nil, err
	}
	return fs.Sub(f.fsys, string(part))
}

func (f *Folder) need(part Part) error {
	if !f.Has(part) {
		return fileErrorf(f.name, "the model has no %s", show(string(part)))
	}
	return nil
}

// read returns the content of a small file.
func (f *Folder) read(name string, limit int64) ([]byte, error) {
	data, err := ReadSmall(f.fsys, name, limit)
	if err != nil {
		return nil, NewFileError(f.Path(name), err)
	}
	return data, nil
}

// ReadSmall returns the content of a regular file that is of no use if it has more
// than limit bytes.
func ReadSmall(fsys fs.FS, name string, limit int64) ([]byte, error) {
	// Check before opening: opening a named pipe waits for its other end.
	info, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("is larger than %d bytes", limit)
	}
	return data, nil
}

// weightFiles are the names that a part's weights may have, in order of
// preference: half precision first, and of each variant diffusers' name before
// transformers'. Whoever writes an index of shards puts its words in another
// order: diffusers has had all three.
var weightFiles = variants(
	"%s.fp16.safetensors",
	"%s.safetensors.index.fp16.json",
	"%s.safetensors.fp16.index.json",
	"%s.fp16.safetensors.index.json",
	"%s.safetensors",
	"%s.safetensors.index.json",
)

func variants(patterns ...string) (names []string) {
	for _, pattern := range patterns {
		for _, file := range []string{diffusersFile, transformersFile} {
			names = append(names, fmt.Sprintf(pattern, strings.TrimSuffix(file, ".safetensors")))
		}
	}
	return names
}

// Part opens the weights of a part. The store belongs to the folder, whose
// Close closes it.
func (f *Folder) Part(part Part) (*Store, error) {
	f = f.owner(part)
	if err := f.need(part); err != nil {
		return nil, err
	}
	if f.compute {
		return Synthetic(f.seed), nil
	}
	for _, name := range weightFiles {
		name = path.Join(string(part), name)
		switch _, err := fs.Stat(f.fsys, name); {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil: // another variant would be other weights
			return nil, NewFileError(f.Path(name), err)
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

// noWeights returns the reason why a part has no weights that can be read.
func (f *Folder) noWeights(part Part) error {
	entries, err := fs.ReadDir(f.fsys, string(part))
	if err != nil {
		return NewFileError(f.PartPath(part), err)
	}
	for _, e := range entries {
		if slices.Contains(weightFiles, e.Name()) {
			return fileErrorf(f.Path(string(part), e.Name()), "a link to a file that does not exist")
		}
	}
	for _, e := range entries {
		if path.Ext(e.Name()) == ".safetensors" && part.HasWeights() {
			return fileErrorf(f.Path(string(part), e.Name()), "%s", rename(e.Name(), part.WeightFile()))
		}
	}
	for _, e := range entries {
		switch path.Ext(e.Name()) {
		case ".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".onnx":
			return fileErrorf(f.Path(string(part), e.Name()), "weights must be a safetensors file")
		}
	}
	return fileErrorf(f.PartPath(part), "neither %s nor %s in it", diffusersFile, transformersFile)
}

// rename reports what to do with a safetensors file whose name is not among
// weightFiles, such as that of a variant in bfloat16.
func rename(name, wanted string) string {
	if strings.Contains(name, "-of-") {
		return fmt.Sprintf("a shard whose index, %s.index.json, is missing: if it has another name, rename it", wanted)
	}
	return fmt.Sprintf("weights of this name are not read: rename the file to %s", wanted)
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
		return nil, NewFileError(f.Path(index), err)
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
		return nil, NewFileError(f.Path(index), err)
	}
	return storeOf(f.Path(index), tensors, regions), nil
}

// Drop closes a store that [Folder.Part] has returned and that nobody uses any
// more, as after an error. It does nothing if the store belongs neither to the
// folder nor to one that it borrows parts from.
func (f *Folder) Drop(s *Store) error {
	for _, from := range f.borrowed {
		if err := from.Drop(s); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.stores, s)
	if i < 0 {
		return nil
	}
	f.stores = slices.Delete(f.stores, i, i+1)
	return s.Close()
}

// Close closes the stores of all parts, and the folders that lend some.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, s := range f.stores {
		errs = append(errs, s.Close())
	}
	f.stores = nil
	for _, from := range f.borrowed {
		errs = append(errs, from.Close())
	}
	return errors.Join(errs...)
}
