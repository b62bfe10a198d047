package catalog

import (
	"errors"
	"fmt"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

// Open opens a model's folder. If the model's statistics are a copy in
// bfloat16, which has too few bits for them, and their original is on this
// machine too, the folder has the original's.
func (c *Catalog) Open(m Model) (*weights.Folder, error) {
	f, err := m.Open()
	if err != nil {
		return nil, err
	}
	if _, err := model.Fingerprint(f); !errors.Is(err, model.ErrBFloat16) {
		return f, nil
	}
	all, _ := c.List()
	for _, other := range all {
		from, err := other.Open()
		if err != nil {
			continue
		}
		if model.IsCopy(f, from) {
			f.Close()
			if f, err = m.Open(); err != nil { // it was used
				from.Close()
				return nil, err
			}
			f.Borrow(weights.ImageNormalizer, from)
			return f, nil
		}
		from.Close()
	}
	return f, nil
}

// fingerprint returns the fingerprint of a folder that was opened.
func fingerprint(f *weights.Folder, err error) (uint32, error) {
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return model.Fingerprint(f)
}

// Matching returns the names of the models whose fingerprint has the given
// number of leading bits in common with prefix.
func (c *Catalog) Matching(prefix uint32, bits int) []string {
	all, err := c.List()
	if err != nil {
		return nil
	}
	var names []string
	for _, m := range all {
		if got, err := fingerprint(c.Open(m)); err == nil && (got^prefix)>>(32-bits) == 0 {
			names = append(names, m.Name)
		}
	}
	return names
}

// alias returns a model that is in the cache under another of its names, and
// otherwise the error none. The fingerprint decides: two that should be the
// same model and are not are an error.
func (c *Catalog) alias(repo hub.Repo, none error) (Model, error) {
	var found Model
	var first uint32
	for _, other := range repo.Aliases() {
		dir, revision, err := c.Cache.Default(other)
		if err != nil {
			continue
		}
		m := inCache(other, revision, dir, true)
		got, err := fingerprint(m.Open())
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
