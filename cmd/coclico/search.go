package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/search"
)

func searchCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "search ARCHIVE",
		Short: "Find pictures in an archive by what they show",
		Long: `Search prints the pictures of an archive that show what a picture, a .coclico
file or some words do, the nearest first, each with its score: an estimate of
the cosine of the two CLIP vectors, about the mean of the model's. 1 is the same
picture, 0 is one that has nothing to do with it.

--text needs words. The built-in model knows 14 kinds of landscape and their
names, and lists them when it is asked for anything else. For Stable unCLIP it
needs CLIP's text tower, which knows English: coclico pull --for search. Scores
by words are lower than those by pictures; their order is what counts.

Search needs 96 bytes of each picture, which the first search reads out of the
archive and keeps in its folder, or in the user's cache if that cannot be
written. --sheet shows the color maps of what was found on one picture, with
--paint as the model paints them.
` + builtInHelp,
		Example: `  coclico search A --picture photo.jpg
  coclico search A --near 2024/beach.jpg -k 50 --sheet like.png
  coclico search A --text "a river in the forest" --json`,
		Args: oneArg("ARCHIVE"),
	}
	q := &query{files: f, screen: s}
	flags := cmd.Flags()
	flags.StringVar(&q.picture, "picture", "", "a picture `file`")
	flags.StringVar(&q.file, "file", "", "a .coclico `file`")
	flags.StringVar(&q.near, "near", "", "the `name` of a picture in the archive")
	flags.StringVar(&q.text, "text", "", "`words`")
	k := flags.IntP("hits", "k", 10, "hits at most")
	least := options.Decimal(flags, "min", 0, -1, 1, "least score (default any)")
	asJSON := flags.Bool("json", false, "print a line of JSON for each hit")
	sheet := flags.String("sheet", "", "write a picture of all hits to this `file`")
	paint := flags.Bool("paint", false, "paint the hits of the sheet")
	model := modelFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		*sheet = files.Output(*sheet)
		given := 0
		for _, name := range []string{"picture", "file", "near", "text"} {
			if flags.Changed(name) {
				given++
			}
			if flags.Changed(name) && flags.Lookup(name).Value.String() == "" {
				return usagef("--%s is empty", name)
			}
		}
		switch {
		case given != 1:
			return usagef("search needs one of --picture, --file, --near and --text")
		case *k < 1 || *k > maxHits:
			return usagef("-k is 1 to %d", maxHits)
		case *paint && *sheet == "":
			return usagef("--paint needs --sheet")
		case *sheet == files.Stdio:
			return usagef("--sheet - and the hits cannot share standard output: write the sheet to a file")
		case *sheet != "" && *k > maxTiles:
			return usagef("--sheet shows at most %d hits", maxTiles)
		}
		if !flags.Changed("min") {
			least = nil
		}
		for _, input := range []string{args[0], q.picture, q.file} {
			if err := files.Overwrites(input, *sheet); err != nil && input != "" && *sheet != "" {
				return err
			}
		}
		q.shelf = &shelf{flag: *model}
		defer q.shelf.close()
		ctx := cmd.Context()
		if err := q.open(ctx, args[0]); err != nil {
			return err
		}
		defer q.close()
		hits, err := q.search(ctx, *k, least)
		if err != nil {
			return err
		}
		if *sheet != "" {
			if err := q.sheet(ctx, hits, *sheet, *paint); err != nil {
				return err
			}
		}
		return q.print(hits, *asJSON)
	}
	return cmd
}

// Limits of a search.
const (
	maxHits  = 100_000
	maxTiles = 1000
)

// A query is what is searched for, and where.
type query struct {
	files                     *files.IO
	screen                    *terminal.Screen
	shelf                     *shelf
	picture, file, near, text string

	archive *archive.Archive
	model   *shelved
	codec   *codec.Codec
	prior   format.Prior
	set     *search.Set
}

// open opens an archive, its model and its index.
func (q *query) open(ctx context.Context, dir string) (err error) {
	if q.archive, err = openArchive(dir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			q.close()
		}
	}()
	if q.model, err = q.shelf.archived(q.archive); err != nil {
		return files.Named(dir, err)
	}
	if q.codec, err = q.shelf.use(q.model); err != nil {
		return err
	}
	if q.prior, err = q.codec.Prior(); err != nil {
		return err
	}
	q.set, err = openSet(ctx, q.screen, q.archive, dir, q.prior)
	return err
}

func (q *query) close() {
	if q.set != nil {
		q.set.Close()
	}
	q.archive.Close()
}

// openSet opens the index of an archive. If it cannot be written there, it
// is kept in the user's cache.
func openSet(ctx context.Context, s *terminal.Screen, a *archive.Archive, dir string, prior format.Prior) (*search.Set, error) {
	bar := newRowBar(s, "index")
	defer bar.Close()
	o := search.Options{Dir: filepath.Join(dir, search.Folder), Progress: bar.show}
	set, err := search.Open(ctx, a, prior, o)
	unwritable := errors.Is(err, fs.ErrPermission) || readOnly(err) || errors.Is(files.Full(err), files.ErrFull)
	if ctx.Err() != nil || !unwritable {
		return set, named(dir, err)
	}
	cache, cacheErr := os.UserCacheDir()
	if cacheErr == nil {
		o.Dir, o.Shared = filepath.Join(cache, "coclico", "search"), true
		set, cacheErr = search.Open(ctx, a, prior, o)
	}
	if cacheErr != nil && ctx.Err() == nil {
		cacheErr = fmt.Errorf("%s: the index can be kept neither here nor in the user's cache: %w", dir, cacheErr)
	}
	return set, cacheErr
}

// archived returns the model that an archive was made with: the chosen one, or
// another of this machine if the user named none.
func (s *shelf) archived(a *archive.Archive) (*shelved, error) {
	m, err := s.choose()
	if err != nil {
		return nil, err
	}
	print, err := strconv.ParseUint(a.Manifest().Fingerprint, 16, 32)
	if err != nil {
		return nil, errors.New("the manifest has no fingerprint of a model")
	}
	id := codec.ModelID(print >> (32 - format.FingerprintBits))
	if m.idErr == nil && m.id == id {
		return m, nil
	}
	if s.flag == "" {
		if other := findMade(id); other != nil {
			return other, nil
		}
	}
	return nil, modelError(&codec.ModelError{File: id, Model: m.id}, m)
}

// target returns what is searched for.
func (q *query) target(ctx context.Context) (t search.Query, err error) {
	switch {
	case q.text != "":
		v, err := q.words(ctx)
		if err != nil {
			return t, err
		}
		return search.Query{Vector: search.Direction(v, q.prior)}, nil
	case q.near != "":
		row, err := find(q.archive, q.near)
		if err == nil && row.Error != "" {
			err = errors.New("the picture could not be read: " + row.Error)
		}
		if err != nil {
			return t, files.Named(q.near, err)
		}
		q.near = row.Name
		return q.ofFile(q.near, row.Data)
	case q.file != "":
		data, err := q.files.Read(ctx, q.file, maxStream)
		if err != nil {
			return t, err
		}
		return q.ofFile(q.file, data)
	}
	src, err := openSource(ctx, q.files, q.picture, false)
	if err != nil {
		return t, err
	}
	p, err := src.read()
	if err != nil {
		return t, cmp.Or(ctx.Err(), err)
	}
	if p.stream != nil {
		return q.ofFile(q.picture, p.stream)
	}
	q.screen.Warn(files.Name(q.picture), p.warnings)
	e, err := q.codec.Embed(ctx, picture.Over(p.img, color.RGBA{255, 255, 255, 255}), nil)
	if err != nil {
		return t, advise(err)
	}
	return search.Query{Vector: search.Deviations(e.Vector(), q.prior)}, nil
}

func (q *query) ofFile(name string, data []byte) (search.Query, error) {
	t, err := search.FileQuery(data, q.prior)
	return t, named(name, err)
}

// search returns the hits. A picture of the archive does not find itself.
func (q *query) search(ctx context.Context, k int, least *float64) ([]search.Hit, error) {
	target, err := q.target(ctx)
	if err != nil {
		return nil, err
	}
	target.K, target.Min = k, least
	if q.near != "" {
		target.K++
	}
	hits, err := q.set.Search(ctx, target)
	if err != nil {
		return nil, err
	}
	kept := hits[:0]
	for _, h := range hits {
		if q.near == "" || h.Row.Name != q.near {
			kept = append(kept, h)
		}
	}
	return kept[:min(k, len(kept))], nil
}

// A hitLine is a hit in JSON.
type hitLine struct {
	Name     string  `json:"name"`
	Score    float64 `json:"score"`
	Distance int     `json:"distance"`
	Width    int     `json:"width,omitempty"`
	Height   int     `json:"height,omitempty"`
}

func (q *query) print(hits []search.Hit, asJSON bool) error {
	for _, h := range hits {
		score := min(h.Score, 1)
		if !asJSON {
			fmt.Fprintf(q.screen.Out, "%6.3f  %s\n", score, terminal.Printable(h.Row.Name))
			continue
		}
		if err := q.screen.JSON(hitLine{h.Row.Name, score, h.Distance, h.Row.Width, h.Row.Height}); err != nil {
			return err
		}
	}
	q.noteLeftOut("searched")
	if len(hits) == 0 {
		q.screen.Note("nothing was found")
	}
	return nil
}

// noteLeftOut notes files without a code.
func (q *query) noteLeftOut(done string) {
	if c := q.set.Counts; c.OtherModel+c.Unreadable > 0 {
		q.screen.Note("%d files of another model and %d that cannot be read were not %s", c.OtherModel, c.Unreadable, done)
	}
}
