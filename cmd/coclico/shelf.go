package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
)

// A shelf holds the models of a run: the one that the user chose, and those that
// files were made with.
type shelf struct {
	flag string // as --model has it, "" for the default

	mu     sync.Mutex
	chosen *shelved
	err    error // why there is no chosen one
	others map[codec.ModelID]*shelved
	inUse  *shelved
}

// A shelved is a model and what is known from its configuration.
type shelved struct {
	catalog.Model
	catalog *catalog.Catalog
	label   string // tells it from other models, in what a picture says
	id      codec.ModelID
	print   uint32       // the fingerprint that id is the beginning of
	idErr   error        // of half a model, which lacks the statistics of vectors
	side    int          // pixels of the longer side of what it paints, 0 if unknown
	codec   *codec.Codec // nil unless in use
}

// choose returns the model that --model, $COCLICO_MODEL or the configuration
// names. Only its configuration is read.
func (s *shelf) choose() (*shelved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chosen == nil && s.err == nil {
		var c *catalog.Catalog
		var m catalog.Model
		if c, s.err = catalog.Open(os.Getenv); s.err == nil {
			m, s.err = c.Choose(s.flag)
		}
		if s.err == nil {
			s.chosen, s.err = shelve(c, m)
		}
	}
	return s.chosen, s.err
}

func shelve(c *catalog.Catalog, m catalog.Model) (*shelved, error) {
	folder, err := c.Open(m)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	s := &shelved{Model: m, catalog: c, label: filepath.Base(folder.Name())}
	known := model.New(folder)
	print, err := known.Fingerprint()
	if s.idErr = err; err == nil {
		s.print = print
		s.id = codec.ModelID(print >> (32 - format.FingerprintBits))
		s.label += fmt.Sprintf(" %08x", print)
	}
	if net, err := known.UNetConfig(); err == nil {
		if ae, err := known.VAE(); err == nil {
			s.side = int(net.SampleSize) * ae.Factor()
		}
	}
	return s, nil
}

// choosing returns the model to read a file with: the chosen one, unless the
// user named none and the file was made with another one that this machine has.
func (s *shelf) choosing(f *codec.File) (*shelved, error) {
	m, err := s.choose()
	if err != nil || s.flag != "" || f.Raw() || m.idErr == nil && m.id == f.ModelID() {
		return m, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	other, ok := s.others[f.ModelID()]
	if !ok {
		if s.others == nil {
			s.others = map[codec.ModelID]*shelved{}
		}
		other = findMade(f.ModelID())
		s.others[f.ModelID()] = other
	}
	if other == nil {
		return m, nil
	}
	return other, nil
}

// findMade returns the model of this machine that files with an ID were made
// with, or nil. One that can decode is preferred to half a model.
func findMade(id codec.ModelID) (found *shelved) {
	c, err := catalog.Open(os.Getenv)
	if err != nil {
		return nil
	}
	for _, name := range matching(c, id) {
		m, err := c.Find(name)
		if err != nil {
			continue
		}
		whole := c.Describe(m).Decodes
		if found != nil && !whole {
			continue
		}
		if s, err := shelve(c, m); err == nil {
			found = s
		}
		if whole {
			break
		}
	}
	return found
}

// matching returns the names of the models that have an ID.
func matching(c *catalog.Catalog, id codec.ModelID) []string {
	const bits = format.FingerprintBits
	return c.Matching(uint32(id)<<(32-bits), bits)
}

// use returns a model's codec. Only one is open at a time, since one may take
// gigabytes.
func (s *shelf) use(m *shelved) (*codec.Codec, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inUse != m {
		s.put()
		folder, err := m.catalog.Open(m.Model)
		if err != nil {
			return nil, err
		}
		s.inUse, m.codec = m, codec.New(folder)
	}
	return m.codec, nil
}

// put closes the model in use.
func (s *shelf) put() {
	if s.inUse != nil {
		s.inUse.codec.Close()
		s.inUse.codec, s.inUse = nil, nil
	}
}

// close closes the model in use.
func (s *shelf) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put()
}

// modelError completes an error about a file of another model: which models
// there are, and what would decode the file.
func modelError(err *codec.ModelError, m *shelved) error {
	err.ModelName = m.Name
	c, openErr := catalog.Open(os.Getenv)
	if openErr != nil {
		return err
	}
	if names := matching(c, err.File); len(names) > 0 {
		return fmt.Errorf("%w (--model %s is of that kind)", err, names[0])
	}
	return fmt.Errorf("%w (this machine has %s; --model chooses)", err, strings.Join(models(c), ", "))
}

// models lists the models that have an ID: "built-in 241".
func models(c *catalog.Catalog) []string {
	all, err := c.List()
	if err != nil {
		return nil
	}
	var list []string
	for _, m := range all {
		if s, err := shelve(c, m); err == nil {
			if s.idErr == nil {
				list = append(list, fmt.Sprintf("%s %v", m.Name, s.id))
			}
		}
	}
	return list
}

// openFolder opens the model that --model, $COCLICO_MODEL or the configuration
// names.
func openFolder(flag string) (*weights.Folder, error) {
	c, err := catalog.Open(os.Getenv)
	if err != nil {
		return nil, err
	}
	m, err := c.Choose(flag)
	if err != nil {
		return nil, err
	}
	return c.Open(m)
}
