package serve

import "slices"

// A round holds what clients wait with. It goes round the clients, who have a
// line each, so that each waits for at most one thing of every other client
// before its next one.
type round[T comparable] struct {
	lines  []*line[T] // those that are not empty, the next one first
	length int        // of all lines
}

type line[T comparable] struct {
	client string
	things []T
}

// of returns how many things a client has.
func (r *round[T]) of(client string) int {
	if i := r.find(client); i >= 0 {
		return len(r.lines[i].things)
	}
	return 0
}

func (r *round[T]) find(client string) int {
	return slices.IndexFunc(r.lines, func(l *line[T]) bool { return l.client == client })
}

// add appends a thing to its client's line.
func (r *round[T]) add(client string, thing T) {
	i := r.find(client)
	if i < 0 {
		i = len(r.lines)
		r.lines = append(r.lines, &line[T]{client: client})
	}
	r.lines[i].things = append(r.lines[i].things, thing)
	r.length++
}

// remove removes a thing, and reports whether it was there.
func (r *round[T]) remove(thing T) bool {
	for i, l := range r.lines {
		if j := slices.Index(l.things, thing); j >= 0 {
			l.things = slices.Delete(l.things, j, j+1)
			r.length--
			if len(l.things) == 0 {
				r.lines = slices.Delete(r.lines, i, i+1)
			}
			return true
		}
	}
	return false
}

// next removes and returns the next thing, if there is one. Its client goes to
// the end of the round.
func (r *round[T]) next() (thing T, ok bool) {
	if len(r.lines) == 0 {
		return thing, false
	}
	l := r.lines[0]
	thing = l.things[0]
	l.things = slices.Delete(l.things, 0, 1)
	r.lines = slices.Delete(r.lines, 0, 1)
	if len(l.things) > 0 {
		r.lines = append(r.lines, l)
	}
	r.length--
	return thing, true
}

// order returns the things in the order in which next would.
func (r *round[T]) order() (things []T) {
	for i := 0; len(things) < r.length; i++ {
		for _, l := range r.lines {
			if i < len(l.things) {
				things = append(things, l.things[i])
			}
		}
	}
	return things
}
