package serve

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/search"
)

// A rowJSON is a picture of the archive.
type rowJSON struct {
	Name   string   `json:"name"`
	File   string   `json:"file,omitempty"`
	Map    *mapJSON `json:"map,omitempty"`
	Width  int      `json:"width,omitempty"`
	Height int      `json:"height,omitempty"`
	Error  string   `json:"error,omitempty"`
}

func newRow(r *archive.Row) rowJSON {
	row := rowJSON{Name: r.Name, Width: r.Width, Height: r.Height, Error: r.Error}
	if row.Error != "" {
		return row
	}
	row.File = base64URL(r.Data)
	f, err := codec.Parse(r.Data)
	if err != nil {
		row.Error = err.Error()
		return row
	}
	m := newMap(f.ColorMap())
	row.Map = &m
	return row
}

type hitJSON struct {
	rowJSON
	Score    float64 `json:"score"`
	Distance int     `json:"distance"`
}

// search answers GET /v1/search.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	k, err := wholeOf(query, "k", 50, 1, 1000)
	if err != nil {
		return err
	}
	least, err := decimalOf(query, "min", -1, 1)
	if err != nil {
		return err
	}
	if err := checkNames(query, "q", "file", "near", "k", "min"); err != nil {
		return err
	}
	hits, err := s.find(r.Context(), query, k, least)
	if err != nil {
		return err
	}
	size := 0
	for _, h := range hits {
		size += len(h.Row.Data)
	}
	out, err := s.startList(w, r, "hits", size)
	if err != nil {
		return err
	}
	defer out.close()
	for _, h := range hits {
		if err := out.add(hitJSON{newRow(h.Row), min(h.Score, 1), h.Distance}); err != nil {
			return err
		}
	}
	return out.end("")
}

// find returns the hits of a query, if few searches run: no longer than it takes.
func (s *Server) find(ctx context.Context, query url.Values, k int, least *float64) (hits []search.Hit, err error) {
	if !s.searches.TryAcquire(1) {
		return nil, busy.problem("%d searches run already", maxSearches)
	}
	defer s.searches.Release(1)
	target, itself, err := s.target(ctx, query)
	if err != nil {
		return nil, err
	}
	target.K, target.Min = k+1, least
	err = s.Archive.read(ctx, func(v *View) (err error) {
		hits, err = v.Set.Search(ctx, target)
		return err
	})
	if err != nil {
		return nil, err
	}
	hits = slices.DeleteFunc(hits, func(h search.Hit) bool { return itself != "" && h.Row.Name == itself })
	return hits[:min(k, len(hits))], nil
}

// target returns what a query searches for, and the name of the picture that it is,
// if it is one of the archive's.
func (s *Server) target(ctx context.Context, query url.Values) (t search.Query, itself string, err error) {
	given := 0
	for _, name := range []string{"q", "file", "near"} {
		if query.Get(name) != "" {
			given++
		}
	}
	if given != 1 {
		return t, "", badParameter.problem("one of q, file and near must be given")
	}
	var data []byte
	switch {
	case query.Get("q") != "":
		t.Vector, err = s.words(ctx, query.Get("q"))
		return t, "", err
	case query.Get("file") != "":
		if data, err = parseBase64URL(query.Get("file")); err != nil {
			return t, "", badParameter.problem("file: not base64url without padding").of("file")
		}
	default:
		row, err := s.row(ctx, query.Get("near"))
		if err != nil {
			return t, "", err
		}
		if row.Error != "" {
			return t, "", badFile.problem("the picture could not be read when it was archived")
		}
		data, itself = row.Data, row.Name
	}
	t, err = search.FileQuery(data, s.Archive.Prior)
	if err != nil && problemOf(err) == nil {
		err = badFile.problem("%v", err)
	}
	return t, itself, err
}

func (s *Server) words(ctx context.Context, text string) ([]float32, error) {
	if s.Archive.Words == nil {
		return nil, badParameter.problem("q: the server has no text tower for words: coclico pull --for search").of("q")
	}
	v, err := s.Archive.Words(ctx, text)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, badParameter.problem("q: %v", err).of("q")
	}
	return search.Direction(v, s.Archive.Prior), nil
}

// row returns the row of a name, as the archive or as the user spells it.
func (s *Server) row(ctx context.Context, name string) (row *archive.Row, err error) {
	err = s.Archive.read(ctx, func(v *View) (err error) {
		row, err = v.Rows.Get(name)
		if errors.Is(err, fs.ErrNotExist) && archive.Quote(name) != name {
			row, err = v.Rows.Get(archive.Quote(name))
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound.problem("the archive has no such name")
	}
	return row, err
}

// file answers GET /v1/archive/file.
func (s *Server) file(w http.ResponseWriter, r *http.Request) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	if err := checkNames(query, "name"); err != nil {
		return err
	}
	name := query.Get("name")
	if name == "" {
		return badParameter.problem("name: must be the name of a picture in the archive").of("name")
	}
	row, err := s.row(r.Context(), name)
	if err != nil {
		return err
	}
	if row.Error != "" {
		return notFound.problem("the picture could not be read when it was archived: %s", row.Error)
	}
	w.Header().Set("Content-Type", fileType)
	w.Header().Set("Content-Length", strconv.Itoa(len(row.Data)))
	w.Header().Set("Cache-Control", "no-cache")
	_, err = w.Write(row.Data)
	return err
}

// list answers GET /v1/archive.
func (s *Server) list(w http.ResponseWriter, r *http.Request) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	limit, err := wholeOf(query, "limit", 1000, 1, 1000)
	if err != nil {
		return err
	}
	if err := checkNames(query, "after", "limit"); err != nil {
		return err
	}
	rows, size, err := s.rowsAfter(r.Context(), query.Get("after"), limit)
	if err != nil {
		return err
	}
	out, err := s.startList(w, r, "rows", size)
	if err != nil {
		return err
	}
	defer out.close()
	next := ""
	if len(rows) > limit {
		rows, next = rows[:limit], rows[limit-1].Name
	}
	for _, row := range rows {
		if err := out.add(newRow(row)); err != nil {
			return err
		}
	}
	return out.end(next)
}

// rowsAfter returns the rows that follow a name, one more than limit if there are so
// many, and the bytes of their files. Nothing of the archive is open afterwards,
// however slowly the client reads.
func (s *Server) rowsAfter(ctx context.Context, after string, limit int) (rows []*archive.Row, size int, err error) {
	if !s.searches.TryAcquire(1) {
		return nil, 0, busy.problem("%d searches and lists are read already", maxSearches)
	}
	defer s.searches.Release(1)
	err = s.Archive.read(ctx, func(v *View) error {
		rows, size = nil, 0
		for row, err := range v.Rows.RowsAfter(after) {
			if err != nil {
				return err
			}
			rows, size = append(rows, row), size+len(row.Data)
			if len(rows) > limit {
				break
			}
		}
		return nil
	})
	return rows, size, err
}

func wholeOf(query url.Values, name string, value, least, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return value, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, badParameter.problem("%s %s: must be a whole number from %d to %d", name, text, least, most).of(name)
	}
	return n, nil
}

// decimalOf returns a parameter's number, nil if it is not given.
func decimalOf(query url.Values, name string, least, most float64) (*float64, error) {
	text := query.Get(name)
	if text == "" {
		return nil, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= least && x <= most) {
		return nil, badParameter.problem("%s %s: must be a number from %v to %v", name, text, least, most).of(name)
	}
	return &x, nil
}
