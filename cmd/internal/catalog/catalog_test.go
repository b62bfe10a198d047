package catalog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights/hub"
)

// newCatalog returns a catalog with a configuration and a cache of its own, and
// a function that opens it again.
func newCatalog(t *testing.T) (*Catalog, func() *Catalog) {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{ConfigVar: filepath.Join(dir, "c", "config.json"), "HF_HOME": filepath.Join(dir, "hf")}
	open := func() *Catalog {
		c, err := Open(func(k string) string { return env[k] })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return open(), open
}

func writeModel(t *testing.T, dir, config string) {
	t.Helper()
	if err := synth.Write(context.Background(), dir, config, 1, nil); err != nil {
		t.Fatal(err)
	}
}

// putInCache puts a folder where the hub's cache would have a model.
func putInCache(t *testing.T, c *Catalog, repo, commit, from string) string {
	t.Helper()
	r, err := hub.ParseRepo(repo)
	if err != nil {
		t.Fatal(err)
	}
	base := c.Cache.Path(r)
	to := filepath.Join(base, "snapshots", commit)
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o777), os.CopyFS(to, os.DirFS(from)), os.MkdirAll(filepath.Join(base, "refs"), 0o777)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestFind(t *testing.T) {
	c, again := newCatalog(t)
	dir := filepath.Join(t.TempDir(), "tiny")
	writeModel(t, dir, "tiny")
	commit := strings.Repeat("ab", 20)
	snapshot := putInCache(t, c, "someone/tiny", commit, dir)
	err := c.Config.Update(func(now *Config) {
		now.Folders = map[string]string{"mine": dir}
		now.Model = "someone/tiny"
	})
	if err != nil {
		t.Fatal(err)
	}
	c = again()
	for name, want := range map[string]Model{
		BuiltIn:                  {Name: BuiltIn, Kind: KindBuiltIn},
		"mine":                   {Name: "mine", Kind: KindNamed, Dir: dir},
		dir:                      {Name: dir, Kind: KindFolder, Dir: dir},
		"someone/tiny":           {Name: "someone/tiny", Kind: KindPulled, Dir: snapshot, Repo: hub.Repo{Owner: "someone", Name: "tiny"}, Revision: "main"},
		"someone/tiny@" + commit: {Name: "someone/tiny@" + commit, Kind: KindPulled, Dir: snapshot, Repo: hub.Repo{Owner: "someone", Name: "tiny"}, Revision: commit},
	} {
		got, err := c.Find(name)
		if err != nil || got != want {
			t.Errorf("%s is %+v, not %+v (%v)", name, got, want, err)
		}
		f, err := got.Open()
		if err != nil {
			t.Error(err)
			continue
		}
		f.Close()
	}
	for name, words := range map[string]string{
		"someone/else":                     "coclico pull someone/else",
		"nothing":                          "coclico models",
		filepath.Join(dir, "nowhere", "x"): "nowhere",
		filepath.Join(dir, "unet", "config.json"): "is a file",
	} {
		if _, err := c.Find(name); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: error %v, not one with %q", name, err, words)
		}
	}
	if c.Default() != "someone/tiny" {
		t.Errorf("default %s", c.Default())
	}
}

func TestListAndDescribe(t *testing.T) {
	c, _ := newCatalog(t)
	dir := filepath.Join(t.TempDir(), "tiny")
	writeModel(t, dir, "tiny")
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("---\ntags:\n- x\nlicense: \"openrail++\"\n---\nlicense: none\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	putInCache(t, c, "someone/tiny", strings.Repeat("ab", 20), dir)
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "model_index.json"), []byte(`{"_class_name":"FluxPipeline"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	putInCache(t, c, "someone/flux", strings.Repeat("cd", 20), other)
	c.Config.Folders = map[string]string{"mine": dir, "gone": filepath.Join(dir, "gone")}
	all, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	by := map[string]Description{}
	for _, m := range all {
		names = append(names, m.Name)
		by[m.Name] = c.Describe(m)
	}
	if want := []string{BuiltIn, "gone", "mine", "someone/tiny"}; !slices.Equal(names, want) {
		t.Errorf("models %v, not %v", names, want)
	}
	d := by["someone/tiny"]
	if d.License != "openrail++" || d.Precision != "float16" || d.Size < 9e6 || len(d.Fingerprint) != 8 || !d.Encodes || !d.Decodes || d.Default || d.Problem != "" {
		t.Errorf("%+v", d)
	}
	if d.Fingerprint != by["mine"].Fingerprint || d.Fingerprint == by[BuiltIn].Fingerprint {
		t.Errorf("fingerprints %s, %s, %s", d.Fingerprint, by["mine"].Fingerprint, by[BuiltIn].Fingerprint)
	}
	if by["gone"].Problem == "" || !by[BuiltIn].Default || !by[BuiltIn].Encodes {
		t.Errorf("%+v, %+v", by["gone"], by[BuiltIn])
	}
	if got := c.Matching(0x3cf8ffff, 16); !slices.Equal(got, []string{"mine", "someone/tiny"}) {
		t.Errorf("matching: %v", got)
	}
	if got := c.Matching(0x3cf9ffff, 16); len(got) != 0 {
		t.Errorf("matching another: %v", got)
	}
}

// TestChosen: the environment takes precedence over the configuration.
func TestChosen(t *testing.T) {
	dir := t.TempDir()
	writeModel(t, filepath.Join(dir, "tiny"), "tiny")
	t.Chdir(dir)
	env := map[string]string{ConfigVar: filepath.Join(dir, "config.json"), "HF_HOME": dir, ModelVar: "tiny"}
	c, err := Open(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.List()
	if err != nil || len(all) != 2 || c.Describe(all[0]).Default || !c.Describe(all[1]).Default {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	env := func(k string) string { return map[string]string{ConfigVar: path}[k] }
	for text, ok := range map[string]bool{"": true, "{}": true, `{"model":"x"}`: true, "{": false, "{} {}": false, `{"modle":"x"}`: false, `{"model":1}`: false} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadConfig(env); (err == nil) != ok || err != nil && !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c, err := ReadConfig(env); err != nil || c.Model != "" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("reading made a file")
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(path, "coclico", "config.json") // as with HOME=/dev/null
	if c, err := ReadConfig(func(string) string { return below }); err != nil || c.Model != "" {
		t.Errorf("below a file: %+v, %v", c, err)
	}
	loop := filepath.Join(t.TempDir(), "config.json")
	if os.Symlink(loop, loop) == nil {
		if _, err := ReadConfig(func(string) string { return loop }); err == nil || !strings.HasPrefix(err.Error(), loop+": ") || !strings.Contains(err.Error(), ConfigVar) {
			t.Errorf("a file that cannot be opened: %v", err)
		}
	}
	for name, ok := range map[string]bool{"mine": true, "a.b-c_1": true, "": false, BuiltIn: false, "a/b": false, ".": false, "-x": false, "a b": false} {
		if (CheckName(name) == nil) != ok {
			t.Errorf("name %q: %v", name, CheckName(name))
		}
	}
}

// TestConfigLink: a configuration file that is a link stays one.
func TestConfigLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "link.json")
	if err := os.WriteFile(real, []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	c, err := ReadConfig(func(k string) string { return map[string]string{ConfigVar: link}[k] })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Update(func(now *Config) { now.Model = "x" }); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(real); err != nil || !strings.Contains(string(data), `"x"`) {
		t.Errorf("%q, %v", data, err)
	}
	if target, err := os.Readlink(link); err != nil || target != real {
		t.Errorf("the link leads to %q (%v)", target, err)
	}
}

// TestConfigUpdates: what other processes have decided since the configuration
// was read stays, and whoever meets another writer is told.
func TestConfigUpdates(t *testing.T) {
	env := func(k string) string {
		return map[string]string{ConfigVar: filepath.Join(t.TempDir(), "config.json")}[k]
	}
	a, errA := ReadConfig(env)
	b := &Config{path: a.path} // which has read as little
	add := func(c *Config, name string) error {
		return c.Update(func(now *Config) {
			if now.Folders == nil {
				now.Folders = map[string]string{}
			}
			now.Folders[name] = name
		})
	}
	if err := errors.Join(errA, add(a, "a"), add(b, "b"), a.Update(func(now *Config) { now.Model = "b" })); err != nil {
		t.Fatal(err)
	}
	if c, err := readConfig(a.path); err != nil || c.Model != "b" || len(c.Folders) != 2 || a.Model != "b" || len(a.Folders) != 2 {
		t.Errorf("%+v, %+v, %v", c, a, err)
	}
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = add(&Config{path: a.path}, strconv.Itoa(i)) })
	}
	wg.Wait()
	c, err := readConfig(a.path)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range errs {
		if _, ok := c.Folders[strconv.Itoa(i)]; ok != (err == nil) || err != nil && !errors.Is(err, files.ErrBusy) {
			t.Errorf("%d is in the file: %v, error %v", i, ok, err)
		}
	}
}
