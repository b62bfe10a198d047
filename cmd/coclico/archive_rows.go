package main

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
)

// globs are patterns for names.
type globs []glob

type glob struct {
	pattern string
	quoted  string // as the archive spells it
	name    bool   // it is a name that the archive has
	matched bool
}

const globHelp = `A GLOB without a '/' is compared with the last part of a name, any other with
all of it; * and ? match no '/', [ab] is one of the characters, and \[ is a [.
A name that has such characters stands for itself alone. One that ends in '/'
stands for all names below it. A GLOB that matches nothing is an error.`

func newGlobs(a *archive.Archive, patterns []string) (globs, error) {
	var g globs
	for _, pattern := range patterns {
		next := glob{pattern: pattern, quoted: archive.Quote(pattern)}
		if strings.ContainsAny(pattern, `*?[\`) {
			switch row, err := find(a, pattern); {
			case err == nil:
				next = glob{pattern: row.Name, name: true}
			case err != errNoName: // it may be a name all the same
				return nil, err
			}
		}
		if _, err := path.Match(pattern, ""); err != nil && !next.name {
			return nil, usagef("%s: not a pattern", pattern)
		}
		g = append(g, next)
	}
	return g, nil
}

// match reports whether a name matches a pattern, or there are none.
func (g globs) match(name string) bool {
	found := len(g) == 0
	for i := range g {
		if g[i].match(name) {
			g[i].matched, found = true, true
		}
	}
	return found
}

func (g *glob) match(name string) bool {
	if g.name {
		return name == g.pattern
	}
	return matchGlob(g.pattern, name) || g.quoted != g.pattern && matchGlob(g.quoted, name)
}

func matchGlob(pattern, name string) bool {
	against := name
	if !strings.Contains(pattern, "/") {
		against = path.Base(name)
	}
	ok, _ := path.Match(pattern, against)
	return ok || strings.HasSuffix(pattern, "/") && strings.HasPrefix(name, pattern)
}

// unmatched returns the patterns that have matched nothing.
func (g globs) unmatched() (patterns []string) {
	for _, next := range g {
		if !next.matched {
			patterns = append(patterns, next.pattern)
		}
	}
	return patterns
}

// rowsOf returns the number of rows in all shards of an archive.
func rowsOf(a *archive.Archive) (n int64) {
	for _, info := range a.Manifest().Shards {
		n += info.Rows
	}
	return n
}

// A rowBar shows how many rows are done, and the time left. The zero value shows
// nothing.
type rowBar struct {
	terminal.Bar
	doing string
}

// newRowBar returns a bar on standard error. The caller must Close it.
func newRowBar(s *terminal.Screen, doing string) *rowBar {
	return &rowBar{Bar: *s.Bar(), doing: doing}
}

func (b *rowBar) show(done, total int64) {
	b.Count(func(elapsed time.Duration) string {
		line := fmt.Sprintf("%s: %d of %d rows", b.doing, done, total)
		if 0 < done && done < total {
			line += ", " + terminal.Left(elapsed, float64(done)/float64(total))
		}
		return line
	})
}
