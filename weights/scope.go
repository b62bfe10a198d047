package weights

// A Scope is a prefix of a store's dotted names, such as
// down_blocks.0.resnets.1. It is a cheap value that constructors pass down.
type Scope struct {
	store *Store
	path  string
}

// Path returns the scope's dotted name, "" for the root.
func (s *Scope) Path() string { return s.path }

// Sub returns the scope of a name in s, which may have several components.
func (s *Scope) Sub(name string) *Scope { return &Scope{s.store, s.join(name)} }

// Optional returns the scope of a name if the store has any tensor in it, and s
// itself otherwise. It serves prefixes that some files leave out.
func (s *Scope) Optional(name string) *Scope {
	if s.Has(name) {
		return s.Sub(name)
	}
	return s
}

// Has reports whether the store has a tensor of that name, or any tensor in the
// scope of that name.
func (s *Scope) Has(name string) bool { return s.store.exists(s.join(name)) }

// First returns the first of the names that the store has as a tensor or a
// scope, or names[0] if it has none of them. It serves names that have changed
// over time; the current one must come first, because a synthetic store takes
// that.
func (s *Scope) First(names ...string) string {
	for _, name := range names {
		if s.Has(name) {
			return name
		}
	}
	return names[0]
}

// Tensor returns the tensor of that name, in the given shape. The file must
// have the same shape, except for trailing dimensions of 1. Otherwise the
// result has no data, and [Store.Err] will report the tensor; until then,
// nothing may be allocated by the result's size.
func (s *Scope) Tensor(name string, shape ...int) Tensor {
	return s.store.tensor(s.join(name), shape)
}

// Ignore declares that the tensors of these names, and those below them, stay
// unread on purpose, such as the encoder's where only the decoder is needed.
func (s *Scope) Ignore(names ...string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	for _, name := range names {
		s.store.ignored = append(s.store.ignored, s.join(name))
	}
}

func (s *Scope) join(name string) string {
	if s.path == "" {
		return name
	}
	return s.path + "." + name
}
