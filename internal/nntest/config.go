package nntest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coclico/coclico/weights"
)

// LoadConfig parses a configuration in the caller's testdata folder.
func LoadConfig[C any](t testing.TB, name string, parse func([]byte) (C, error)) C {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzConfig checks that every configuration is either refused or describes a
// network of at most limit tensors. A build parses data and, if that succeeds,
// makes the network from the scope. The configurations in the caller's testdata
// folder are added to the seeds.
func FuzzConfig(f *testing.F, limit int, builds ...func(data []byte, s *weights.Scope) error) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no configurations in testdata", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, build := range builds {
			s := weights.Recorder()
			if err := build(data, s.Scope()); err != nil {
				continue
			}
			if n := len(s.Requested()); n == 0 || n > limit {
				t.Errorf("a network of %d tensors", n)
			}
		}
	})
}

// Params returns the number of parameters of the networks made from a
// [weights.Recorder].
func Params(s *weights.Store) int {
	params := 0
	for _, spec := range s.Requested() {
		n := 1
		for _, d := range spec.Shape {
			n *= d
		}
		params += n
	}
	return params
}
