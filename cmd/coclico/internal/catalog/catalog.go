package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/mini"
)

// BuiltIn is the name of the model that is part of the program.
const BuiltIn = "built-in"

// A Kind says where a model comes from.
type Kind string

const (
	KindBuiltIn Kind = "built-in"
	KindPulled  Kind = "pulled" // in the hub's cache
	KindNamed   Kind = "named"  // a folder of the configuration
	KindFolder  Kind = "folder" // a folder without a name
)

// A Model is a model that is there, by the name under which it is found again.
type Model struct {
	Name     string
	Kind     Kind
	Dir      string // "" if it is built in
	Repo     hub.Repo
	Revision string
}

// Open opens the model's folder.
func (m Model) Open() (*weights.Folder, error) {
	if m.Kind == KindBuiltIn {
		return mini.Folder()
	}
	return weights.OpenFolder(m.Dir)
}

// ModelVar names the default model, before the configuration does.
const ModelVar = "COCLICO_MODEL"

// A Catalog finds models.
type Catalog struct {
	Config *Config
	Cache  hub.Cache // of the hub; "" where there is no place for one

	chosen string // by ModelVar
}

// Open reads the configuration and finds the hub's cache. That a cache has no
// place, as without a home folder, is nothing to those who need none; a pull
// says it.
func Open(getenv func(string) string) (*Catalog, error) {
	cfg, err := ReadConfig(getenv)
	if err != nil {
		return nil, err
	}
	cache, _ := hub.CacheFromEnv(getenv)
	return &Catalog{cfg, cache, getenv(ModelVar)}, nil
}

// Find returns the model that a name stands for: the built-in one, a name of the
// configuration, a folder, a name on the hub (OWNER/NAME, or
// OWNER/NAME@REVISION) that was pulled. The first that fits is it.
func (c *Catalog) Find(name string) (Model, error) {
	if name == BuiltIn {
		return Model{Name: BuiltIn, Kind: KindBuiltIn}, nil
	}
	if dir, ok := c.Config.Folders[name]; ok {
		return Model{Name: name, Kind: KindNamed, Dir: dir}, nil
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		return c.folder(name), nil
	}
	if err == nil {
		return Model{}, fmt.Errorf("%s: is a file, a model folder is needed", name)
	}
	repo, revision, errName := hub.SplitRevision(name)
	if errName != nil {
		return Model{}, fmt.Errorf("%s: %w, and no model has that name (coclico models)", name, cause(err))
	}
	dir, err := c.Cache.Folder(repo, revision)
	if errors.Is(err, hub.ErrNotThere) {
		return Model{}, fmt.Errorf("%s: neither a folder nor a model that is on this machine: coclico pull %s gets one of that name from the hub", name, name)
	}
	if err != nil {
		return Model{}, err
	}
	return pulled(repo, revision, dir), nil
}

// cause returns what is wrong with a path, without the path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// folder names a folder by its full path, for it must be found from everywhere.
func (c *Catalog) folder(dir string) Model {
	full, err := filepath.Abs(dir)
	if err != nil {
		full = dir
	}
	return Model{Name: full, Kind: KindFolder, Dir: dir}
}

func pulled(repo hub.Repo, revision, dir string) Model {
	name := repo.String()
	if revision != hub.MainRevision {
		name += "@" + revision
	}
	return Model{Name: name, Kind: KindPulled, Dir: dir, Repo: repo, Revision: revision}
}

// Default returns the name of the model that is used when none is said.
func (c *Catalog) Default() string { return or(c.chosen, or(c.Config.Model, BuiltIn)) }

// Choose returns the model of a name, and without one the default. The error
// says who has chosen that.
func (c *Catalog) Choose(name string) (Model, error) {
	if name != "" {
		return c.Find(name)
	}
	m, err := c.Find(c.Default())
	switch {
	case err == nil:
		return m, nil
	case c.chosen != "":
		return Model{}, fmt.Errorf("the model that %s names, %w", ModelVar, err)
	}
	return Model{}, fmt.Errorf("the default model %w; coclico models use chooses another", err)
}

// isDefault reports whether a model is the one that Default names.
func (c *Catalog) isDefault(m Model) bool {
	found, err := c.Find(c.Default())
	return err == nil && found.Name == m.Name || m.Name == c.Default()
}

// List returns the models that are there: the built-in one, the named, the
// pulled, and the default one if it is none of these. What else is in the hub's
// cache, models of other kinds, is left out.
func (c *Catalog) List() ([]Model, error) {
	all := []Model{{Name: BuiltIn, Kind: KindBuiltIn}}
	for _, name := range slices.Sorted(maps.Keys(c.Config.Folders)) {
		all = append(all, Model{Name: name, Kind: KindNamed, Dir: c.Config.Folders[name]})
	}
	repos, err := c.Cache.Repos()
	if err != nil {
		return nil, err
	}
	for _, repo := range repos {
		for _, revision := range c.revisions(repo) {
			dir, err := c.Cache.Folder(repo, revision)
			if err != nil {
				continue
			}
			f, err := weights.OpenFolder(dir)
			if err != nil {
				continue
			}
			f.Close()
			all = append(all, pulled(repo, revision, dir))
		}
	}
	if !slices.ContainsFunc(all, c.isDefault) {
		name := c.Default()
		if m, err := c.Find(name); err == nil {
			all = append(all, m)
		} else {
			all = append(all, Model{Name: name, Kind: KindFolder, Dir: name}) // gone; shown as such
		}
	}
	return all, nil
}

// Cached reports whether the hub's cache has anything of a model, were it only
// what an interrupted pull has left.
func (c *Catalog) Cached(repo hub.Repo) bool {
	all, err := c.Cache.Repos()
	return err == nil && slices.Contains(all, repo)
}

// revisions returns main, if it is there, and the snapshots that it is not at.
func (c *Catalog) revisions(repo hub.Repo) []string {
	commits := c.Cache.Commits(repo)
	dir, err := c.Cache.Folder(repo, hub.MainRevision)
	if err != nil {
		return commits
	}
	commits = slices.DeleteFunc(commits, func(s string) bool { return s == filepath.Base(dir) })
	return append([]string{hub.MainRevision}, commits...)
}

// Matching returns the names of the models whose fingerprint begins with the
// given bits: fingerprint's highest ones.
func (c *Catalog) Matching(fingerprint uint32, bits int) []string {
	all, err := c.List()
	if err != nil {
		return nil
	}
	var names []string
	for _, m := range all {
		f, err := m.Open()
		if err != nil {
			continue
		}
		got, err := model.Fingerprint(f)
		f.Close()
		if err == nil && (got^fingerprint)>>(32-bits) == 0 {
			names = append(names, m.Name)
		}
	}
	return names
}
