package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coclico/coclico/codec"
)

// An Evaluation specifies the pictures, the model and the metrics of a report.
type Evaluation struct {
	Pictures []string // files
	Out      string   // folder of the results
	Set      Set
	Size     int // side of the square that is evaluated; 0 is the set's or the model's own

	Codec   *codec.Codec
	Model   string // tells the model from others
	Version string // tells builds of this program apart
	Side    int    // what the model paints by itself
	Exact   bool

	// Bytes is the budget of the rows "at equal bytes"; 0 is what the paper's
	// profile takes for the same picture.
	Bytes int

	Rows    []string // the IDs of the rows to make; none is all of them
	Peers   []Peer
	Metrics []Metric // besides color score and CLIP distance; see Networks

	Figures bool
	Paint   bool // paint every picture of the figures, not some examples

	Timeout time.Duration // of a tool, 0 for a minute

	// Read reads a picture file, upright and opaque. Write replaces a file as
	// a whole.
	Read  func(ctx context.Context, path string) (image.Image, error)
	Write func(path string, fill func(io.Writer) error) error

	// Lock keeps other processes from the file of records until it is closed,
	// and returns an error if one of them has it. It may be nil.
	Lock func(*os.File) error

	// IsPictureName reports whether a file is named like a picture, which in a
	// peer's folder is what tells it from a stream, and in a table of sizes a
	// name from a stem with a dot.
	IsPictureName func(path string) bool

	// ResetMemory and PeakMemory measure this process's resident memory in
	// MiB. They may be nil.
	ResetMemory func()
	PeakMemory  func() float64

	// Begin is called for each row of each picture, End when a picture is
	// done. They may be nil.
	Begin func(Progress)
	End   func(failed bool)

	tools      *toolbox
	rows       []row
	metrics    []Metric
	dimensions int // of the model's CLIP vectors
	journal    *journal
	tasks      []*task
	problems   []Problem
}

// Progress is the row at work.
type Progress struct {
	Picture     string
	Row         string
	Step, Steps int // of the picture's rows
}

// A Problem is a picture, or a row of one, that could not be evaluated.
type Problem struct {
	Row     string // "" for the picture itself
	Picture string // "" for all of them
	Err     string
}

// Run makes all rows of all pictures, or the rest of them after an earlier run.
// What fails for a row of a picture becomes a problem in the report. Run's own
// errors are the context's, those of the model and of the output folder, and a
// [codec.OptionError] if the evaluation asks for what does not exist.
func (e *Evaluation) Run(ctx context.Context) (*Report, error) {
	if err := e.prepare(); err != nil {
		return nil, err
	}
	var err error
	if e.journal, err = openJournal(filepath.Join(e.Out, journalName), e.Lock); err != nil {
		return nil, err
	}
	defer e.journal.close()
	stems := map[string]string{}
	for _, path := range e.Pictures {
		name, failed := filepath.Base(path), true
		if other, ok := stems[stemOf(path)]; ok {
			e.problem("", name, fmt.Errorf("named like %s: left out", other))
		} else if !utf8.ValidString(name) { // a record cannot hold it
			e.problem("", name, errors.New("the name is not UTF-8: rename the file"))
		} else {
			stems[stemOf(path)] = name
			if failed, err = e.picture(ctx, path); err != nil {
				return nil, err
			}
		}
		if e.End != nil {
			e.End(failed)
		}
	}
	if len(e.tasks) == 0 {
		return nil, errors.New("no picture can be evaluated: " + e.problems[0].String())
	}
	return e.report()
}

func (p Problem) String() string {
	var parts []string
	for _, s := range []string{p.Row, p.Picture, p.Err} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

func (e *Evaluation) problem(row, picture string, err error) {
	e.problems = append(e.problems, Problem{row, picture, err.Error()})
}

// prepare completes the evaluation, and makes its rows and folders.
func (e *Evaluation) prepare() error {
	for _, n := range []int{e.Set.Size, e.Side} {
		if e.Size == 0 {
			e.Size = n
		}
	}
	if e.Size < 32 || e.Size > codec.MaxSize || e.Size%8 != 0 {
		return codec.OptionError(fmt.Sprintf("size %d: must be a multiple of 8 from 32 to %d", e.Size, codec.MaxSize))
	}
	if len(e.Pictures) == 0 {
		return errors.New("no pictures to evaluate")
	}
	if e.tools == nil {
		e.tools = &toolbox{limit: cmp.Or(e.Timeout, time.Minute)}
	}
	prior, err := e.Codec.Prior()
	if err != nil {
		return err
	}
	e.dimensions = len(prior.Moments)
	e.metrics = append([]Metric{colorScore(), clipDistance(e.Model)}, e.Metrics...)
	sortMetrics(e.metrics)
	rows, err := e.allRows()
	if err != nil {
		return err
	}
	if e.rows, err = choose(slices.Clone(rows), e.Rows, e.Bytes); err != nil {
		return err
	}
	if err := e.checkUsed(rows); err != nil {
		return err
	}
	if e.Figures && !slices.ContainsFunc(e.rows, func(r row) bool { return r.id == inputID }) {
		e.rows = slices.Insert(e.rows, 0, e.inputRow())
	}
	if why := e.Set.missing(e.Pictures); why != "" {
		e.problem("", "", errors.New(why))
	}
	if err := e.checkOut(); err != nil {
		return err
	}
	return os.MkdirAll(e.Out, 0o777)
}

// choose returns the rows of these IDs, and those of figures. Rows at equal bytes
// need a budget, or the row that sets it.
func choose(rows []row, ids []string, budget int) ([]row, error) {
	if len(ids) == 0 {
		return rows, nil
	}
	var all []string
	for _, r := range rows {
		if !r.figure {
			all = append(all, r.id)
		}
	}
	for _, id := range ids {
		if !slices.Contains(all, id) {
			return nil, codec.OptionError(fmt.Sprintf("rows %s: no such row; the rows are %s", id, strings.Join(all, ", ")))
		}
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return !r.figure && !slices.Contains(ids, r.id) })
	if i := slices.IndexFunc(rows, func(r row) bool { return r.equal }); i >= 0 && budget == 0 && !slices.Contains(ids, paperID) {
		return nil, codec.OptionError(fmt.Sprintf("rows %s: needs row %s, whose bytes it is to have, or a number of bytes", rows[i].id, paperID))
	}
	return rows, nil
}

// picture makes all rows of a picture, and reports whether one failed.
func (e *Evaluation) picture(ctx context.Context, path string) (failed bool, err error) {
	t := &task{index: len(e.tasks), path: path, stem: stemOf(path), records: map[string]*Record{}}
	name := filepath.Base(path)
	img, err := e.Read(ctx, path)
	if err == nil {
		t.ref, err = e.Set.square(img, e.Size)
	}
	if ctx.Err() != nil {
		return true, ctx.Err()
	}
	if err != nil {
		e.problem("", name, errors.New(strings.TrimPrefix(err.Error(), path+": ")))
		return true, nil
	}
	t.hash = t.ref.Hash()
	if e.Figures {
		t.maps = mapPoints(t.ref)
	}
	e.tasks = append(e.tasks, t)
	before := len(e.problems)
	for k := range e.rows {
		r := &e.rows[k]
		if r.absent != "" || r.pictures > 0 && t.index >= r.pictures {
			continue
		}
		if e.Begin != nil {
			e.Begin(Progress{name, r.name, k, len(e.rows)})
		}
		rec, err := e.row(ctx, t, r)
		if err != nil {
			return true, err
		}
		t.records[r.id] = rec
		if rec.Error != "" {
			e.problem(r.name, name, errors.New(rec.Error))
		}
	}
	t.ref = nil // the records have what the report needs
	return len(e.problems) > before, nil
}

// row returns the record of a row of a picture: an earlier run's, completed, or
// a new one.
func (e *Evaluation) row(ctx context.Context, t *task, r *row) (*Record, error) {
	rec := &Record{Row: r.id, Picture: filepath.Base(t.path), Source: t.hash}
	params, err := r.params(t)
	if err == nil {
		rec.Params = params
		if old := e.journal.find(r.id, rec.Picture, t.hash, params); old != nil {
			if p := e.kept(t, r, old); p != nil {
				return e.complete(ctx, t, r, old, p)
			}
		}
		var m *made
		if m, err = r.make(ctx, t); err == nil {
			if err = e.keep(t, r, rec, m); err != nil {
				return nil, err
			}
			rec.Scores = map[string]float64{}
			if err := e.score(ctx, t, r, rec, m.picture); err != nil {
				return nil, err
			}
			return rec, e.journal.add(rec)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, new(fatal)):
		return nil, err
	}
	rec.Bytes, rec.Error = unknown, err.Error()
	return rec, e.journal.add(rec)
}

// A fatal is an error of the model, which every picture would have.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// complete adds the scores that an earlier run's record lacks.
func (e *Evaluation) complete(ctx context.Context, t *task, r *row, rec *Record, p *Picture) (*Record, error) {
	had := len(rec.Scores)
	done := *rec
	done.Scores = map[string]float64{}
	for k, v := range rec.Scores {
		done.Scores[k] = v
	}
	if err := e.score(ctx, t, r, &done, p); err != nil || len(done.Scores) == had && e.hasVector(rec) {
		return rec, err
	}
	return &done, e.journal.add(&done)
}

// keep writes the decoded picture and the record's numbers.
func (e *Evaluation) keep(t *task, r *row, rec *Record, m *made) error {
	if m.picture.Side != e.Size {
		return fatal{fmt.Errorf("%s made a picture of %d pixels, not %d", r.name, m.picture.Side, e.Size)}
	}
	rec.Bytes, rec.Note = m.bytes, m.note
	rec.EncodeSeconds, rec.DecodeSeconds, rec.MemoryMiB = m.encode.Seconds(), m.decode.Seconds(), m.memory
	rec.Decoded = m.picture.Hash()
	rec.File = filepath.ToSlash(filepath.Join(paintings, r.id, t.stem+".png"))
	path := filepath.Join(e.Out, filepath.FromSlash(rec.File))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return e.Write(path, func(w io.Writer) error { return writePNG(w, m.picture) })
}

// kept returns the picture of an earlier run, or nil if it is missing or has
// changed.
func (e *Evaluation) kept(t *task, r *row, rec *Record) *Picture {
	if rec.File == "" || !fs.ValidPath(rec.File) {
		return nil
	}
	p, err := readPNG(filepath.Join(e.Out, filepath.FromSlash(rec.File)), e.Size)
	if err != nil || p.Hash() != rec.Decoded {
		return nil
	}
	return p
}
