package hub

import "fmt"

// Pins are the SHA-256 hashes of files that somebody has run, by commit and
// path. A listing that promises another file under a pinned name is refused.
type Pins map[string]map[string]string

// KnownPins returns the hashes of the files that are known to work. Nobody has
// run the real model with this program yet, so there are none: a pull shows the
// hashes of what it got, and whoever sees that the model works can report them.
func KnownPins() Pins { return Pins{} }

// check returns an error if a commit's file is pinned to another hash.
func (p Pins) check(commit string, f File) error {
	if want, ok := p[commit][f.Path]; ok && f.Hash != want {
		return fmt.Errorf("%s has the hash %s on the hub, not the known %s: it is another file", f.Path, f.Hash, want)
	}
	return nil
}

// Covers reports whether all weights of a plan are pinned.
func (p Pins) Covers(plan *Plan) bool {
	for _, f := range plan.Weights() {
		if _, ok := p[plan.Commit][f.Path]; !ok {
			return false
		}
	}
	return true
}
