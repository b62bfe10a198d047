package batch

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Passed is what a folder had besides the wanted files. Nothing is passed over
// in silence.
type Passed struct {
	Files   []string // neither wanted nor hidden; devices and dangling links too
	Folders []string // links to folders
	Hidden  []string // wanted files and folders whose names begin with a dot
}

// All lists everything that was passed over.
func (p *Passed) All() []string { return slices.Concat(p.Files, p.Folders, p.Hidden) }

// Add adds what another folder had.
func (p *Passed) Add(q Passed) {
	p.Files = append(p.Files, q.Files...)
	p.Folders = append(p.Folders, q.Folders...)
	p.Hidden = append(p.Hidden, q.Hidden...)
}

// Count counts what a walk found, and reports whether it was passed over.
func (p *Passed) Count(f Found) bool {
	switch f.Kind {
	case Other:
		p.Files = append(p.Files, f.Path)
	case Linked:
		p.Folders = append(p.Folders, f.Path)
	case Hidden:
		p.Hidden = append(p.Hidden, f.Path)
	}
	return f.Kind != Wanted
}

// Nothing returns the error that a folder has nothing of a kind, and what it has
// instead.
func (p *Passed) Nothing(input, kind string) error {
	over := p.String()
	if over != "" {
		over = " (" + over + ")"
	}
	return fmt.Errorf("%s: no %s in this folder%s", input, kind, over)
}

// maxEndings is how many endings String lists.
const maxEndings = 8

// String counts what was passed over, files by their endings: "11 other files
// passed over: 8 .txt, 3 .avif; 1 linked folder passed over". It is empty if
// nothing was.
func (p *Passed) String() string {
	var parts []string
	if n := len(p.Files); n > 0 {
		parts = append(parts, fmt.Sprintf("%s passed over: %s", count(n, "other file"), endings(p.Files)))
	}
	if n := len(p.Folders); n > 0 {
		parts = append(parts, count(n, "linked folder")+" passed over")
	}
	if n := len(p.Hidden); n > 0 {
		parts = append(parts, count(n, "hidden name")+" passed over")
	}
	return strings.Join(parts, "; ")
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// endings counts the files of each ending, the most frequent first.
func endings(paths []string) string {
	by := map[string]int{}
	for _, path := range paths {
		by[cmp.Or(strings.ToLower(filepath.Ext(path)), "without an ending")]++
	}
	order := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(by[b]-by[a], strings.Compare(a, b))
	})
	var words []string
	for i, ending := range order {
		if i == maxEndings {
			words = append(words, "and "+count(len(order)-i, "more ending"))
			break
		}
		words = append(words, fmt.Sprintf("%d %s", by[ending], ending))
	}
	return strings.Join(words, ", ")
}
