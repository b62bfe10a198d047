package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/codec"
)

// A reading is how files are read that are not decoded.
type reading struct {
	format codec.Format // of raw bits
	raw    bool
	model  lazyModel // of the vectors
}

// A parsed is a file, with its vector where the model is at hand.
type parsed struct {
	*codec.File
	vector *codec.Vector // nil without the file's model
}

// open reads a file, or the one in a PNG.
func (r *reading) open(a *app, path string) (parsed, error) {
	in, err := a.openInput(path, maxDecoded)
	if err != nil {
		return parsed{}, err
	}
	defer in.Close()
	data, err := picture.Stream(in)
	if err == nil && data == nil {
		data, err = io.ReadAll(io.LimitReader(in, maxStream+1))
	}
	if err != nil {
		return parsed{}, fileError(path, err)
	}
	p, err := r.parse(data)
	if err != nil {
		return parsed{}, fileError(path, err)
	}
	return p, nil
}

// parse reads a file once. Its vector is missing if the file was made with
// another model, or if there is none.
func (r *reading) parse(data []byte) (parsed, error) {
	f, err := parseFile(data, r.raw, r.format)
	if err != nil {
		return parsed{}, err
	}
	if r.raw {
		return parsed{f, f.RawVector()}, nil
	}
	c, err := r.model.open()
	if err != nil {
		return parsed{File: f}, nil
	}
	if _, err := c.ModelID(); err != nil { // a half of a model without statistics
		return parsed{File: f}, nil
	}
	v, err := c.Vector(f)
	var wrong *codec.ModelError
	if errors.As(err, &wrong) {
		return parsed{File: f}, nil
	}
	return parsed{f, v}, err
}

// parseFile reads a file, or raw bits.
func parseFile(data []byte, raw bool, f codec.Format) (*codec.File, error) {
	if raw {
		return codec.ParseRaw(data, f)
	}
	file, err := codec.Parse(data)
	var format codec.FormatError
	if errors.As(err, &format) {
		err = fmt.Errorf("%w (--raw reads raw bits)", err)
	}
	return file, err
}

// checkModel returns what is wrong with the model that the user named. One that
// nobody named may be missing: see parse.
func (r *reading) checkModel() error {
	if r.raw || r.model.flag == "" {
		return nil
	}
	c, err := r.model.open()
	if err == nil {
		_, err = c.ModelID()
	}
	return err
}
