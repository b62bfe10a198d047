package weights

// A Scope is a place in a store's dotted names, such as
// down_blocks.0.resnets.1: a cheap value that constructors hand down.
type Scope struct {
	store *Store
	path  string
}

// Path returns the scope's dotted name, "" for the root.
func (s *Scope) Path() string { return s.path }

// Sub returns the scope of a name, which may have several components.
func (s *Scope) Sub(name string) *Scope { return &Scope{s.store, s.join(name)} }

// Optional returns the scope of the name if the store has any tensor in it,
// and s itself otherwise. It serves prefixes that some files leave out.
func (s *Scope) Optional(name string) *Scope {
	if s.Has(name) {
		return s.Sub(name)
	}
	return s
}

// Has reports whether the store has the tensor of that name, or any tensor in
// the scope of that name.
func (s *Scope) Has(name string) bool { return s.store.exists(s.join(name)) }

// First returns the first of the names that the store has, be it a tensor or a
// scope, and names[0] if it has none. It serves names that changed over time;
// the current one comes first, since a synthetic store takes that.
func (s *Scope) First(names ...string) string {
	for _, name := range names {
		if s.Has(name) {
			return name
		}
	}
	return names[0]
}

// Tensor returns the tensor of the name with the given shape: trailing
// dimensions of 1 aside, the file must have the same one. If it has not, the
// result has no data and [Store.Err] will say so; until then nothing may be
// sized by the result.
func (s *Scope) Tensor(name string, shape ...int) Tensor {
	return s.store.tensor(s.join(name), shape)
}

// Ignore states that the tensors of these names, and those below them, are
// known and stay unread: the encoder, where only the decoder is wanted.
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
