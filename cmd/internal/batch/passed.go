package batch

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Passed counts what a folder had besides the wanted files. Nothing is passed
// over in silence.
type Passed struct {
	Keep  bool     // the names, which may be millions
	Names []string // those kept

	endings map[string]int // of files neither wanted nor hidden, devices and dangling links too
	folders int            // links to folders
	hidden  int            // wanted files and folders whose names begin with a dot
}

// Add adds what another folder had.
func (p *Passed) Add(q Passed) {
	p.Names = append(p.Names, q.Names...)
	for ending, n := range q.endings {
		p.file(ending, n)
	}
	p.folders += q.folders
	p.hidden += q.hidden
}

// file counts n files of an ending.
func (p *Passed) file(ending string, n int) {
	if p.endings == nil {
		p.endings = map[string]int{}
	}
	p.endings[ending] += n
}

// Count counts what a walk found, and reports whether it was passed over.
func (p *Passed) Count(f Found) bool {
	switch f.Kind {
	case Wanted:
		return false
	case Other:
		p.file(cmp.Or(strings.ToLower(filepath.Ext(f.Path)), "without an ending"), 1)
	case Linked:
		p.folders++
	case Hidden:
		p.hidden++
	}
	if p.Keep {
		p.Names = append(p.Names, f.Path)
	}
	return true
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
	files := 0
	for _, n := range p.endings {
		files += n
	}
	if files > 0 {
		parts = append(parts, fmt.Sprintf("%s passed over: %s", count(files, "other file"), p.frequent()))
	}
	if p.folders > 0 {
		parts = append(parts, count(p.folders, "linked folder")+" passed over")
	}
	if p.hidden > 0 {
		parts = append(parts, count(p.hidden, "hidden name")+" passed over")
	}
	return strings.Join(parts, "; ")
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// frequent lists the endings, the most frequent first.
func (p *Passed) frequent() string {
	order := slices.SortedFunc(maps.Keys(p.endings), func(a, b string) int {
		return cmp.Or(p.endings[b]-p.endings[a], strings.Compare(a, b))
	})
	var words []string
	for i, ending := range order {
		if i == maxEndings {
			words = append(words, "and "+count(len(order)-i, "more ending"))
			break
		}
		words = append(words, fmt.Sprintf("%d %s", p.endings[ending], ending))
	}
	return strings.Join(words, ", ")
}
