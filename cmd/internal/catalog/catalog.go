package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/mini"
)

// BuiltIn is the name of the model that is part of the program.
const BuiltIn = "built-in"

// A Kind is where a model comes from.
type Kind string

const (
	KindBuiltIn Kind = "built-in"
	KindPulled  Kind = "pulled" // from the hub's cache
	KindNamed   Kind = "named"  // a folder with a name in the configuration
	KindFolder  Kind = "folder" // a folder without a name
)

// A Model is a model on this machine.
type Model struct {
	Name     string // by which Find finds it from everywhere
	Kind     Kind
	Dir      string // "" for the built-in model
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

// ModelVar is the environment variable that names the default model. It takes
// precedence over the configuration.
const ModelVar = "COCLICO_MODEL"

// A Catalog finds models.
type Catalog struct {
	Config *Config
	Cache  hub.Cache // "" if there is no place for one

	chosen string // by ModelVar
}

// Open reads the configuration and locates the hub's cache. A cache that has no
// place, as without a home folder, is not an error until a pull needs it.
func Open(getenv func(string) string) (*Catalog, error) {
	cfg, err := ReadConfig(getenv)
	if err != nil {
		return nil, err
	}
	cache, _ := hub.CacheFromEnv(getenv)
	return &Catalog{cfg, cache, getenv(ModelVar)}, nil
}

// Find returns the model with a name: the built-in one, a name in the
// configuration, a folder, or the name on the hub (OWNER/NAME, or
// OWNER/NAME@REVISION) of a model that was pulled. The first that fits is
// taken.
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
		return Model{}, fmt.Errorf("%w, and no model has that name (coclico models)", weights.NewFileError(name, err))
	}
	m, err := c.pulled(repo, revision)
	if errors.Is(err, hub.ErrNotThere) {
		return Model{}, fmt.Errorf("%s: neither a folder nor a model on this machine: coclico pull %s downloads one of that name from the hub", name, name)
	}
	return m, err
}

// pulled returns a model in the hub's cache. If no revision is specified, a
// model that has several names is found under each of them.
func (c *Catalog) pulled(repo hub.Repo, revision string) (Model, error) {
	if revision != "" {
		dir, err := c.Cache.Folder(repo, revision)
		return inCache(repo, revision, dir, revision == repo.DefaultRevision()), err
	}
	dir, revision, err := c.Cache.Default(repo)
	if errors.Is(err, hub.ErrNotThere) {
		return c.alias(repo, err)
	}
	return inCache(repo, revision, dir, true), err
}

// inCache returns a model in the hub's cache. Its name includes the revision
// unless that is the usual one.
func inCache(repo hub.Repo, revision, dir string, usual bool) Model {
	name := repo.String()
	if !usual {
		name += "@" + revision
	}
	return Model{Name: name, Kind: KindPulled, Dir: dir, Repo: repo, Revision: revision}
}

// folder names a folder by its full path, for it must be found from everywhere.
func (c *Catalog) folder(dir string) Model {
	full, err := filepath.Abs(dir)
	if err != nil {
		full = dir
	}
	return Model{Name: full, Kind: KindFolder, Dir: dir}
}

// Default returns the name of the model that is used when none is specified.
func (c *Catalog) Default() string { return cmp.Or(c.chosen, c.Config.Model, BuiltIn) }

// Choose returns the model with a name, or the default if the name is "". The
// error then says who has chosen the default.
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

// List returns the models on this machine: the built-in one, those with names,
// those that were pulled, and the default if it is not among these. Models of
// other kinds in the hub's cache are left out.
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
		usual, _, _ := c.Cache.Default(repo)
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
			all = append(all, inCache(repo, revision, dir, dir == usual))
		}
	}
	if !slices.ContainsFunc(all, c.isDefault) {
		name := c.Default()
		if m, err := c.Find(name); err == nil {
			all = append(all, m)
		} else {
			all = append(all, Model{Name: name, Kind: KindFolder, Dir: name}) // deleted; listed with the reason
		}
	}
	return all, nil
}

// Cached reports whether the hub's cache has anything of a model, even if it is
// only what an interrupted pull has left.
func (c *Catalog) Cached(repo hub.Repo) bool {
	all, err := c.Cache.Repos()
	return err == nil && slices.Contains(all, repo)
}

// revisions returns the revisions of a model in the cache, each snapshot once:
// the default one, main, and the commits that are neither.
func (c *Catalog) revisions(repo hub.Repo) []string {
	commits := c.Cache.Commits(repo)
	var all []string
	for _, revision := range []string{repo.DefaultRevision(), hub.MainRevision} {
		dir, err := c.Cache.Folder(repo, revision)
		if i := slices.Index(commits, filepath.Base(dir)); err == nil && i >= 0 {
			commits = slices.Delete(commits, i, i+1)
			all = append(all, revision)
		}
	}
	return append(all, commits...)
}
