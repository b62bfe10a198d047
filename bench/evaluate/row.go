package evaluate

import (
	"context"
	"time"
)

// A row is a codec with its parameters.
type row struct {
	id   string // names the row in files and on the command line
	name string // names it in the table
	note string // a footnote of the table

	// absent names what the machine lacks and how to get it, "" if nothing is
	// missing.
	absent string

	// equal marks a row that has the bytes of Evaluation.Bytes, or, without such a
	// budget, those of the paper's row.
	equal bool

	program bool // it runs programs, within Evaluation.Timeout

	// figure marks a row of a figure, which the table does not show, and
	// pictures is for how many pictures it is made, 0 for all.
	figure   bool
	pictures int

	// params returns everything besides the picture that the row depends on.
	params func(t *task) (string, error)
	make   func(ctx context.Context, t *task) (*made, error)
}

// A task is the work on one picture.
type task struct {
	index int
	path  string
	stem  string
	ref   *Picture
	hash  string // of ref

	vector  vector             // CLIP's of ref
	records map[string]*Record // of the rows that are done
	maps    []mapPoint         // for figures
}

// A made is the result of a row for a picture.
type made struct {
	picture        *Picture
	bytes          int64 // -1 if unknown
	encode, decode time.Duration
	memory         float64 // MiB at the peak, 0 if unknown
	note           string  // what was chosen: "raster 96"
}

// unknown is the number of bytes of a picture without a stream.
const unknown = -1
