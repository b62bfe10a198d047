package catalog

import (
	"fmt"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights/hub"
)

// fingerprint returns a model's fingerprint.
func (m Model) fingerprint() (uint32, error) {
	f, err := m.Open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return model.Fingerprint(f)
}

// Matching returns the names of the models whose fingerprint begins with the
// given number of bits of another.
func (c *Catalog) Matching(fingerprint uint32, bits int) []string {
	all, err := c.List()
	if err != nil {
		return nil
	}
	var names []string
	for _, m := range all {
		if got, err := m.fingerprint(); err == nil && (got^fingerprint)>>(32-bits) == 0 {
			names = append(names, m.Name)
		}
	}
	return names
}

// alias returns a model that is in the cache under another of its names, and
// otherwise the error none. The fingerprint decides: two that should be the same
// model and are not are an error.
func (c *Catalog) alias(repo hub.Repo, none error) (Model, error) {
	var found Model
	var first uint32
	for _, other := range repo.Aliases() {
		dir, revision, err := c.Cache.Default(other)
		if err != nil {
			continue
		}
		m := inCache(other, revision, dir, true)
		got, err := m.fingerprint()
		switch {
		case err != nil: // such as what an interrupted pull has left
		case found.Name == "":
			found, first = m, got
		case got != first:
			return Model{}, fmt.Errorf("%s is not on this machine, and %s and %s, which should be the same model, have different fingerprints, %08x and %08x: name one of them", repo, found.Name, m.Name, first, got)
		}
	}
	if found.Name == "" {
		return Model{}, none
	}
	return found, nil
}

// Elsewhere returns a model that is in the cache under another of its names
// than repo's, with all that a use needs, where repo's own lacks something.
func (c *Catalog) Elsewhere(repo hub.Repo, use hub.Use) (Model, bool) {
	if dir, revision, err := c.Cache.Default(repo); err == nil && inCache(repo, revision, dir, true).serves(use) {
		return Model{}, false
	}
	m, err := c.alias(repo, hub.ErrNotThere)
	if err != nil || !m.serves(use) {
		return Model{}, false
	}
	return m, true
}

// serves reports whether a model has all that a use needs.
func (m Model) serves(use hub.Use) bool {
	f, err := m.Open()
	if err != nil {
		return false
	}
	defer f.Close()
	encodes, decodes := uses(f)
	switch use {
	case hub.Encoding:
		return encodes
	case hub.Decoding:
		return decodes
	}
	return encodes && decodes
}
