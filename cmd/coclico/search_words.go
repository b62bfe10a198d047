package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/text"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/mini"
)

// errNoTower is why words do not find pictures of a model yet.
var errNoTower = errors.New("--text needs CLIP's text tower for archives of any but the built-in model: coclico pull --for search (494 MB)")

// words returns the direction of words in the space of the archive's model.
func (q *query) words(ctx context.Context) ([]float32, error) {
	r, err := q.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Direction(ctx, q.text)
}

// A reader turns words into a direction among the vectors of pictures.
type reader interface {
	Direction(ctx context.Context, words string) ([]float32, error)
	Close() error
}

// miniReader reads the words that the built-in model knows.
type miniReader struct{}

func (miniReader) Direction(_ context.Context, words string) ([]float32, error) {
	return mini.Words(words)
}
func (miniReader) Close() error { return nil }

// reader returns the reader of words for the archive's model. The built-in one
// has a space of its own, and words for it; that of any other is taken to be
// CLIP's.
func (q *query) reader(ctx context.Context) (reader, error) {
	c, err := codec.BuiltIn()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	id, err := c.ModelID()
	if err != nil {
		return nil, err
	}
	if q.model.id == id {
		return miniReader{}, nil
	}
	dir, ok := catalog.FindText(os.Getenv)
	if !ok {
		return nil, errNoTower
	}
	e, err := text.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	if n, want := e.Dimensions(), len(q.prior.Moments); n != want {
		e.Close()
		return nil, weights.NewFileError(dir, fmt.Errorf("words have %d dimensions, the archive's pictures %d: it is the text tower of another model", n, want))
	}
	return e, nil
}
