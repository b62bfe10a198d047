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

// words returns the direction of words in the space of the archive's model. The
// built-in one has a space of its own, and words for it; that of any other is
// taken to be CLIP's.
func (q *query) words(ctx context.Context) ([]float32, error) {
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
		return mini.Words(q.text)
	}
	dir, ok := catalog.FindText(os.Getenv)
	if !ok {
		return nil, errNoTower
	}
	e, err := text.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if n, want := e.Dimensions(), len(q.prior.Moments); n != want {
		return nil, weights.NewFileError(dir, fmt.Errorf("words have %d dimensions, the archive's pictures %d: it is the text tower of another model", n, want))
	}
	return e.Direction(ctx, q.text)
}
