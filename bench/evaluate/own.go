package evaluate

import (
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/coclico/coclico/codec"
)

// The IDs of rows that others refer to.
const (
	inputID = "input"
	paperID = "paper"
	tunedID = "tuned"
)

// inputRow is the picture itself: what metrics without a reference make of it.
func (e *Evaluation) inputRow() row {
	return row{
		id: inputID, name: "input",
		params: func(*task) (string, error) { return "", nil },
		make: func(_ context.Context, t *task) (*made, error) {
			return &made{picture: t.ref, bytes: unknown}, nil
		},
	}
}

// ownRow is CoCliCo with options that may depend on the picture.
func (e *Evaluation) ownRow(id, name string, options func(t *task) (codec.EncodeOptions, error)) row {
	return row{
		id: id, name: name,
		params: func(t *task) (string, error) {
			o, err := options(t)
			return e.ownParams(o), err
		},
		make: func(ctx context.Context, t *task) (*made, error) {
			o, err := options(t)
			if err != nil {
				return nil, err
			}
			return e.own(ctx, t.ref, o)
		},
	}
}

// ownParams describes what a row of CoCliCo depends on: the options that rows
// set.
func (e *Evaluation) ownParams(o codec.EncodeOptions) string {
	sampling := codec.DefaultSampling(o.Profile)
	if o.Sampling != nil {
		sampling = *o.Sampling
	}
	return fmt.Sprintf("%s, coclico %s, size %d, exact %t: %v, format %+v, at most %d bytes, %d candidates, %+v",
		e.Model, e.Version, e.Size, e.Exact, o.Profile, o.Format, o.Bytes, o.Candidates, sampling)
}

// own encodes and decodes a picture. Every error is the model's, since the
// picture and the options are right.
func (e *Evaluation) own(ctx context.Context, ref *Picture, o codec.EncodeOptions) (*made, error) {
	if e.ResetMemory != nil {
		e.ResetMemory()
	}
	start := time.Now()
	data, err := e.Codec.Encode(ctx, ref.Image(), &o)
	if errors.As(err, new(codec.OptionError)) {
		return nil, err // a budget that this picture does not fit in
	}
	if err != nil {
		return nil, fatal{err}
	}
	m := &made{bytes: int64(len(data)), encode: time.Since(start)}
	start = time.Now()
	img, err := e.Codec.Decode(ctx, data, &codec.DecodeOptions{Size: e.Size, Exact: e.Exact})
	if err != nil {
		return nil, fatal{err}
	}
	m.decode = time.Since(start)
	if e.PeakMemory != nil {
		m.memory = e.PeakMemory()
	}
	m.picture, err = pictureOf(img)
	return m, err
}

// budget returns the bytes of the rows "at equal bytes".
func (e *Evaluation) budget(t *task) (int, error) {
	if e.Bytes != 0 {
		return e.Bytes, nil
	}
	r := t.records[paperID]
	if r == nil || r.Bytes <= 0 {
		return 0, errors.New("the paper's row, which sets the bytes, failed")
	}
	return int(r.Bytes), nil
}

// candidates is the number of noises that the best is chosen of.
const candidates = 4

// ownRows are the paper's CoCliCo, and the tuned one at equal bytes, with the
// first noise and with the best of some.
func (e *Evaluation) ownRows() []row {
	equal := func(candidates int) func(t *task) (codec.EncodeOptions, error) {
		return func(t *task) (codec.EncodeOptions, error) {
			budget, err := e.budget(t)
			return codec.EncodeOptions{Profile: codec.Tuned, Bytes: budget, Candidates: candidates}, err
		}
	}
	paper := e.ownRow(paperID, "CoCliCo, paper", func(*task) (codec.EncodeOptions, error) { return codec.EncodeOptions{}, nil })
	tuned := e.ownRow(tunedID, "CoCliCo, tuned", equal(0))
	best := e.ownRow("candidates", fmt.Sprintf("CoCliCo, best of %d", candidates), equal(candidates))
	tuned.equal, best.equal = true, true
	tuned.note = "at most as many bytes as the paper's profile takes for the same picture"
	if e.Bytes != 0 {
		tuned.note = fmt.Sprintf("at most %d bytes", e.Bytes)
	}
	best.note = "tuned, in as many bytes; the noise is chosen by CLIP d itself, so look at the other columns too"
	if e.Side != 0 && e.Size != e.Side {
		best.note += fmt.Sprintf("; it is chosen at %d x %d pixels, and may not be the best at others", e.Side, e.Side)
	}
	return []row{paper, tuned, best}
}

// small returns a picture of a few pixels in the size of the evaluation.
func (e *Evaluation) small(img image.Image) (*Picture, error) {
	p, err := pictureOf(img)
	if err != nil {
		return nil, err
	}
	return p.resized(e.Size), nil
}
