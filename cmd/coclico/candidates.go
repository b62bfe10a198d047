package main

import (
	"fmt"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/codec"
)

// A contest is how the candidates of one picture were judged.
type contest struct {
	last map[int]codec.Judgment // of each candidate
}

func (c *contest) add(j codec.Judgment) {
	if c.last == nil {
		c.last = map[int]codec.Judgment{}
	}
	c.last[j.Candidate] = j
}

// describe says how the chosen candidate was judged: by the tower that chose
// it, and by the colors.
func (c *contest) describe(f *codec.File) string {
	j, ok := c.last[f.Candidate()]
	if !ok {
		return ""
	}
	return fmt.Sprintf("; seed %d, the best of %d: CLIP distance %.4f, area color score %.4f", f.Sampling().Seed, len(c.last), j.Distance, j.AreaColorScore)
}

// keep returns the error of a search that was interrupted and whose best
// candidate is kept.
func (c *contest) keep(output string) error {
	name := output
	if output == files.Stdio {
		name = "standard output"
	}
	if len(c.last) == 0 {
		return interruptedError(fmt.Sprintf("interrupted: %s is whole, with the first candidate; none was judged", name))
	}
	return interruptedError(fmt.Sprintf("interrupted: %s is whole, with the best of %d candidates so far", name, len(c.last)))
}
