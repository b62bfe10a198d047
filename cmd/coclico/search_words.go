package main

import (
	"errors"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/weights/mini"
)

// errNoWords is why words do not find pictures of a model.
var errNoWords = errors.New("words are known for the built-in model alone; --picture, --file and --near search any archive")

// words returns the direction of words in the space of the archive's model.
func (q *query) words() ([]float32, error) {
	c, err := codec.BuiltIn()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	id, err := c.ModelID()
	if err != nil {
		return nil, err
	}
	if q.model.id != id {
		return nil, errNoWords
	}
	return mini.Words(q.text)
}
