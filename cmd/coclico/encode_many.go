package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
)

func encodeMany(ctx context.Context, f *files.IO, s *terminal.Screen, m *many, e *encoding, inputs []string, out string) error {
	board := s.Board()
	r := &encodeRunner{encoding: e, files: f, board: board}
	err := runMany(ctx, f, s, board, m, &batch.Plan{
		Out: out, Wanted: wantsPicture, Kind: "pictures",
		Name: func(name string) string { return name + streamExt },
		Same: func(in, out string) bool { return e.wrote(ctx, f, in, out) },
	}, &batch.Runner[viewed]{Open: r.open, Work: r.work}, inputs, "encoded")
	r.note(s)
	return err
}

// An encodeRunner encodes the pictures of a batch.
type encodeRunner struct {
	*encoding
	files   *files.IO
	board   *terminal.Board
	cropped int // pictures whose crop left out much
}

func (r *encodeRunner) open(ctx context.Context, j batch.Job) (*batch.Input[viewed], error) {
	var in *sourceFile
	var err error
	if j.Open == nil {
		in, err = openSource(ctx, r.files, j.Input, r.fresh)
	} else if f, openErr := j.Open(ctx); openErr != nil {
		err = files.Named(j.Input, openErr)
	} else if in, err = sourceOf(f, j.Input, r.fresh); err != nil {
		f.Close()
	}
	if err != nil {
		return nil, err
	}
	memory := in.memory
	if j.Open != nil {
		memory += j.Size // it is in memory already
	}
	return &batch.Input[viewed]{Memory: memory, Read: func() (viewed, error) {
		src, err := in.read()
		if err != nil {
			return viewed{}, err
		}
		// The readers run at the same time, so that the image encoder sees
		// several pictures at once.
		s, err := r.see(ctx, j.Input, src, nil)
		if err != nil && !errors.As(err, new(codec.UnsupportedError)) {
			err = batch.Fatal(err)
		}
		return s, err
	}}, nil
}

func (r *encodeRunner) work(ctx context.Context, j batch.Job, src viewed) (func(io.Writer) error, error) {
	r.board.Warn(j.Input, src.warnings)
	data, err := src.file(ctx, r.board.Progress)
	if err != nil && !errors.As(err, new(codec.UnsupportedError)) {
		err = batch.Fatal(err)
	}
	if src.img != nil && r.encoding.cropped(src.img) > muchCropped {
		r.cropped++
	}
	return func(to io.Writer) error {
		_, err := to.Write(data)
		return err
	}, err
}

// note tells a watching user how many pictures have lost much.
func (r *encodeRunner) note(s *terminal.Screen) {
	if r.cropped > 0 {
		s.Note("the crop left out more than a third of %d of the pictures (--fit whole keeps all of them)", r.cropped)
	}
}

// wantsPicture reports whether a file in a folder is, or is named like, a
// picture.
func wantsPicture(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return !circular(err) || isPictureName(path) // it fails, with the reason
	}
	defer f.Close()
	head, err := picture.Head(f)
	return err != nil || picture.Known(head) || isPictureName(path)
}

// wrote reports whether out is what encode would make of in now, as far as it
// tells: raw bits by their number only, and no file tells whether its map was
// antialiased and what was under a transparent picture.
func (e *encoding) wrote(ctx context.Context, f *files.IO, in, out string) bool {
	data, err := f.Read(ctx, out, maxStream)
	if err != nil {
		return false
	}
	switch kept := keptStream(in); {
	case kept == nil:
	case !e.fresh:
		return checkKept(kept) == nil && bytes.Equal(kept, data)
	case bytes.Equal(kept, data): // of a run without --from-pixels
		return false
	}
	if e.options.Raw {
		_, noFile := codec.Parse(data) // a file may be as long; the few raw bits that look like one are made again
		_, noRaw := codec.ParseRaw(data, e.options.Format)
		return noFile != nil && noRaw == nil
	}
	file, err := codec.Parse(data)
	if err != nil || !e.matches(file) {
		return false
	}
	m, err := e.shelf.choose()
	if err != nil {
		return false
	}
	c, err := e.shelf.use(m)
	if err != nil {
		return false
	}
	_, err = c.Vector(file) // all of it: it may have been cut since, or be of another model
	return err == nil
}

// matches reports whether a file may have been written with e's options, as far
// as its header tells.
func (e *encoding) matches(f *codec.File) bool {
	o, sampling := e.options, codec.DefaultSampling(e.options.Profile)
	if o.Sampling != nil {
		sampling = *o.Sampling
	}
	sampling.Seed += uint64(f.Candidate())
	switch {
	case f.Prompt() != strings.Join(strings.Fields(o.Prompt), " "):
		return false
	case f.Profile() != o.Profile || f.Whole() != o.Whole || f.Sampling() != sampling:
		return false
	case (f.Candidate() > 0) != (o.Candidates > 1) || f.Candidate() >= max(o.Candidates, 1):
		return false // with the first candidate a file does not tell whether there were others
	case o.Bytes > 0:
		full := f.VectorBits() == format.MaxTunedBits*f.Dimensions() // more bytes would not be used
		return f.Len() <= o.Bytes && (full || f.Len() > o.Bytes-4)   // encode leaves a byte or two unused
	}
	got := f.Format()
	return got.MapSize == o.MapSize && got.ColorBits == o.ColorBits && f.VectorBits() == o.DimensionBits*f.Dimensions()
}
