package main

import (
	"cmp"
	"context"
	"errors"
	"image/color"
	"io"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

// An inspector opens what info and compare are about.
type inspector struct {
	files   *files.IO
	screen  *terminal.Screen
	shelf   *shelf
	reading reading
	side    int // as inspect.Subject has it; 0 is the model's own
}

// open reads a file, or the stream in a PNG, or encodes a picture as encode does
// without flags.
func (i *inspector) open(ctx context.Context, path string) (inspect.Subject, error) {
	in, err := i.files.Open(ctx, path, maxPicture)
	if err != nil {
		return inspect.Subject{}, err
	}
	defer in.Close()
	data, err := i.read(ctx, in, path)
	if err != nil {
		return inspect.Subject{}, err
	}
	s, err := i.parse(data)
	if err != nil {
		return inspect.Subject{}, files.Named(path, err)
	}
	s.Name, s.Side = path, cmp.Or(i.side, s.Side)
	return s, nil
}

// read returns a file's bytes.
func (i *inspector) read(ctx context.Context, in files.File, path string) ([]byte, error) {
	data, err := picture.Stream(in)
	if err != nil || data != nil {
		return data, named(path, err)
	}
	head, err := picture.Head(in)
	if err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, files.Named(path, err)
	}
	if picture.Known(head) {
		return i.encode(ctx, in, path)
	}
	data, err = io.ReadAll(io.LimitReader(in, maxStream+1))
	return data, named(path, err)
}

// named names an error, if there is one.
func named(path string, err error) error {
	if err != nil {
		return files.Named(path, err)
	}
	return nil
}

// encode returns what a picture is encoded as.
func (i *inspector) encode(ctx context.Context, in files.File, path string) ([]byte, error) {
	src, err := sourceOf(in, path, true)
	if err != nil {
		return nil, err
	}
	p, err := src.read()
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	i.screen.Warn(files.Name(path), p.warnings)
	white := color.RGBA{255, 255, 255, 255}
	e := &encoding{shelf: i.shelf, options: codec.EncodeOptions{Format: i.reading.format, Raw: i.reading.raw}, background: white}
	if !i.reading.raw {
		e.options.Profile = codec.Tuned
	}
	bar := i.screen.Bar()
	defer bar.Close()
	return e.encode(ctx, path, p, bar.Progress)
}

// parse parses a file. Its vector is missing if its model is not on this
// machine.
func (i *inspector) parse(data []byte) (inspect.Subject, error) {
	f, err := i.reading.parse(data)
	if err != nil {
		return inspect.Subject{}, err
	}
	s := inspect.Subject{File: f}
	m, err := i.shelf.choosing(f)
	switch {
	case f.Raw():
		s.Vector = f.RawVector()
		if err == nil {
			s.Side = m.side
		}
		return s, nil
	case err != nil, m.idErr != nil, m.id != f.ModelID():
		return s, nil
	}
	s.Model, s.Side = m.Name, m.side
	c, err := i.shelf.use(m)
	if err != nil {
		return s, nil
	}
	s.Vector, err = c.Vector(f)
	if errors.As(err, new(*codec.ModelError)) { // vectors of another size
		return inspect.Subject{File: f}, nil
	}
	return s, err
}

// checkModel returns what is wrong with the model that the user named. One that
// nobody named may be missing: see parse.
func (i *inspector) checkModel() error {
	if i.reading.raw || i.shelf.flag == "" {
		return nil
	}
	m, err := i.shelf.choose()
	if err != nil {
		return err
	}
	return m.idErr
}
