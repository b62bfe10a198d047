package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/search"
)

func archiveDuplicatesCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "duplicates ARCHIVE",
		Short: "List pairs of pictures in an archive that are nearly the same",
		Long: `Duplicates prints the pairs of pictures whose CLIP vectors differ in at most
--within bits, a line each: distance, name, name. The nearest come first, those
of equal distance by name. Pictures of different profiles are not compared.

Of copies saved as JPEG of quality 50 or made half as large, the built-in model
and the default distances find 97 % in the paper's profile and 60 % in the tuned
one, and no other pairs among 40 scenes; --within 96 finds 79 % in the latter.
Other models differ: look at the pairs before you delete anything.

No pair within the distance is missed. For a million pictures that takes
a minute or two of one core, for ten million half an hour, by estimate. Beyond
about 100 bits all pairs are compared: an hour for a million, days for ten
million. n copies of a picture are n(n-1)/2 pairs; --limit keeps the nearest.

The index of coclico search is used, and made if it is missing.`,
		Example: `  coclico archive duplicates A
  coclico archive duplicates A --within 0 --json`,
		Args: oneArg("ARCHIVE"),
	}
	flags := cmd.Flags()
	within := flags.Int("within", 0, fmt.Sprintf("largest distance of a pair, in `bits` (default %d, in the paper's profile %d)",
		search.DefaultWithin(format.Tuned), search.DefaultWithin(format.Paper)))
	limit := flags.Int("limit", search.DefaultLimit, "`pairs` at most")
	asJSON := flags.Bool("json", false, "print a line of JSON for each pair")
	model := modelFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case !flags.Changed("within"):
			*within = -1 // each profile's
		case *within < 0:
			return usagef("--within is 0 or more")
		}
		if *limit < 1 || *limit > maxPairs {
			return usagef("--limit is 1 to %d", maxPairs)
		}
		q := &query{files: f, screen: s, shelf: &shelf{flag: *model}}
		defer q.shelf.close()
		if err := q.open(cmd.Context(), args[0]); err != nil {
			return err
		}
		defer q.close()
		d, err := q.duplicates(cmd.Context(), *within, *limit)
		if err != nil {
			return err
		}
		return q.printPairs(cmd.Context(), args[0], d, *asJSON)
	}
	return cmd
}

// maxPairs bounds --limit.
const maxPairs = 10_000_000

// duplicates finds the pairs, and shows the time left.
func (q *query) duplicates(ctx context.Context, within, limit int) (*search.Duplicates, error) {
	bar := q.screen.Bar()
	defer bar.Close()
	return q.set.Duplicates(ctx, search.DuplicateOptions{Within: within, Limit: limit, Progress: func(done float64) {
		bar.Count(func(elapsed time.Duration) string {
			return fmt.Sprintf("comparing: %.0f %%, %s", 100*done, terminal.Left(elapsed, max(done, 1e-6)))
		})
	}})
}

// A pairLine is a pair in JSON.
type pairLine struct {
	Distance int        `json:"distance"`
	A        pairedLine `json:"a"`
	B        pairedLine `json:"b"`
}

type pairedLine struct {
	Name        string `json:"name"`
	Width       int    `json:"width,omitempty"`
	Height      int    `json:"height,omitempty"`
	SourceBytes int64  `json:"source_bytes"`
}

func (q *query) printPairs(ctx context.Context, dir string, d *search.Duplicates, asJSON bool) error {
	printed := int64(0)
	for p, err := range d.Pairs(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return files.Named(dir, err)
		}
		printed++
		if !asJSON {
			fmt.Fprintf(q.screen.Out, "%3d  %s  %s\n", p.Distance, terminal.Printable(p.A.Name), terminal.Printable(p.B.Name))
		} else if err := q.screen.JSON(pairLine{p.Distance,
			pairedLine{p.A.Name, p.A.Width, p.A.Height, p.A.Size},
			pairedLine{p.B.Name, p.B.Width, p.B.Height, p.B.Size}}); err != nil {
			return err
		}
		if err := q.screen.OutErr(); err != nil {
			return err
		}
	}
	if d.Found > printed {
		q.screen.Complain(fmt.Sprintf("%s: warning: %d of %d pairs are listed, the nearest: --limit", dir, printed, d.Found))
	}
	if d.Groups > 1 {
		q.screen.Note("%d profiles whose vectors are coded differently were compared each for itself", d.Groups)
	}
	q.noteLeftOut("compared")
	if d.Found == 0 {
		q.screen.Note("no pairs")
	}
	return nil
}
