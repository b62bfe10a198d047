package weights

import (
	"errors"
	"slices"
	"sort"
	"strings"
	"sync"
)

// A Store is a set of named tensors: a file, the weights of a part in one or
// several files, or a store in which every name exists ([Recorder],
// [Synthetic]). It remembers which tensors it was asked for. Its methods may be
// called concurrently.
type Store struct {
	name    string            // of the file, for messages
	tensors map[string]Tensor // nil when every name exists
	names   []string          // keys of tensors, sorted
	regions []*region

	compute bool // Synthetic
	seed    int64

	mu      sync.Mutex
	order   []Spec // the tensors that were asked for, each once
	asked   map[string]Tensor
	ignored []string // scopes that stay unread on purpose
	report  LoadError
}

// A Spec describes a tensor that is to be computed or written.
type Spec struct {
	Name  string
	DType DType
	Shape []int
}

// Recorder returns a store in which every name exists, with the shape that is
// asked for and without data. [Store.Requested] returns what was asked for.
func Recorder() *Store { return &Store{name: "recorder", asked: make(map[string]Tensor)} }

// Synthetic returns a store in which every name exists and has the float16
// values that [SynthTensor] gives it. Values are computed when asked for.
func Synthetic(seed int64) *Store {
	return &Store{name: "synthetic weights", compute: true, seed: seed, asked: make(map[string]Tensor)}
}

// OpenFile opens a single safetensors file.
func OpenFile(path string) (*Store, error) {
	r, err := openRegion(path)
	if err != nil {
		return nil, err
	}
	return newStore(path, r)
}

// ReadSafetensors returns a store of the tensors in data, the content of a
// safetensors file, which must not change. The name is for messages.
func ReadSafetensors(name string, data []byte) (*Store, error) {
	return newStore(name, &region{data: data})
}

// OpenAs opens a file of another format. It maps the file and calls parse with
// its content; the tensors that parse returns may be views of it, which begin
// at a multiple of 8 bytes. An error of parse is reported with the file's name.
func OpenAs(path string, parse func(data []byte) ([]Tensor, error)) (*Store, error) {
	r, err := openRegion(path)
	if err != nil {
		return nil, err
	}
	list, err := parse(r.data)
	if err != nil {
		_ = r.close()
		return nil, NewFileError(path, err)
	}
	s := StoreOf(path, list...)
	for name, t := range s.tensors {
		t.from = r
		s.tensors[name] = t
	}
	s.regions = []*region{r}
	return s, nil
}

// StoreOf returns a store of tensors that a program has made, for a network
// that computes with other values than its file has: with a batch norm that is
// part of a convolution, for example. The name is for messages. Of tensors with
// the same name the last one counts.
func StoreOf(name string, tensors ...Tensor) *Store {
	byName := make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		byName[t.Name] = t
	}
	return storeOf(name, byName, nil)
}

// newStore parses an opened file, and closes it if that fails.
func newStore(name string, r *region) (*Store, error) {
	tensors, err := parse(name, r)
	if err != nil {
		_ = r.close()
		return nil, err
	}
	return storeOf(name, tensors, []*region{r}), nil
}

func storeOf(name string, tensors map[string]Tensor, regions []*region) *Store {
	s := &Store{name: name, tensors: tensors, regions: regions, asked: make(map[string]Tensor)}
	for n := range tensors {
		s.names = append(s.names, n)
	}
	sort.Strings(s.names)
	return s
}

// Name returns the name of the file, or of the index if there are several
// files.
func (s *Store) Name() string { return s.name }

// Names returns the names of all tensors, sorted. It returns nothing for stores
// in which every name exists.
func (s *Store) Names() []string { return slices.Clone(s.names) }

// Lookup returns the tensor of a name with its own shape and type, and whether
// it exists. It does not count as asking for the tensor.
func (s *Store) Lookup(name string) (Tensor, bool) {
	t, ok := s.tensors[name]
	return t, ok
}

// Requested returns the tensors that were asked for, in order, each once. The
// types are those of the file, or F16 where there is no file.
func (s *Store) Requested() []Spec {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Scope returns the scope of all names.
func (s *Store) Scope() *Scope { return &Scope{store: s} }

// Close unmaps the files. The tensors' data must not be used afterwards.
func (s *Store) Close() error {
	var errs []error
	for _, r := range s.regions {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// exists reports whether the store has a tensor of that name, or any below it.
func (s *Store) exists(name string) bool {
	if s.tensors == nil {
		return true
	}
	if _, ok := s.tensors[name]; ok {
		return true
	}
	below := name + "."
	i := sort.SearchStrings(s.names, below)
	return i < len(s.names) && strings.HasPrefix(s.names[i], below)
}

// tensor looks up a tensor for a model's constructor and records the request.
func (s *Store) tensor(name string, shape []int) Tensor {
	shape = slices.Clone(shape)
	s.mu.Lock()
	defer s.mu.Unlock()
	before, again := s.asked[name]
	if again && !s.compute && slices.Equal(before.Shape, shape) {
		return before
	}
	t := s.find(name, shape)
	note := t
	if s.compute {
		note.Data = nil // or the store would keep everything that it has computed
	}
	if !again {
		s.asked[name] = note
		s.order = append(s.order, Spec{Name: name, DType: t.DType, Shape: shape})
	}
	return t
}

func (s *Store) find(name string, shape []int) Tensor {
	absent := Tensor{Name: name, Shape: shape}
	switch {
	case s.compute:
		return SynthTensor(name, shape, s.seed)
	case s.tensors == nil:
		return absent
	}
	t, ok := s.tensors[name]
	switch {
	case !ok:
		s.report.Missing = append(s.report.Missing, name)
		return absent
	case !t.DType.weight():
		s.report.Types = append(s.report.Types, Spec{Name: name, DType: t.DType, Shape: t.Shape})
		return absent
	case !sameShape(t.Shape, shape):
		s.report.Shapes = append(s.report.Shapes, Mismatch{Name: name, Want: shape, Got: t.Shape})
		return absent
	}
	t.Shape = shape
	return t
}

// Err reports, after a model's constructor has run, the tensors that it asked
// for and that are missing, of another shape or not floats, and those that it
// did not ask for. The error is a *[LoadError]. It is nil for stores in which
// every name exists.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.report
	e.File = s.name
	for _, name := range s.names {
		if _, ok := s.asked[name]; !ok && !s.mayStayUnread(name) {
			e.Unread = append(e.Unread, name)
		}
	}
	if len(e.Missing)+len(e.Shapes)+len(e.Types)+len(e.Unread) == 0 {
		return nil
	}
	return &e
}

func (s *Store) mayStayUnread(name string) bool {
	return strings.HasSuffix(name, "position_ids") || slices.ContainsFunc(s.ignored, func(scope string) bool {
		return name == scope || strings.HasPrefix(name, scope+".")
	})
}
