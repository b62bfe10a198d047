package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
)

// Limits of what is read into memory.
const (
	maxPicture = 1 << 30 // a picture to encode
	maxFile    = 1 << 20 // more than the longest .coclico file
	maxMemory  = 2 << 30 // all pictures that a worker encodes at a time, if it has as much
)

// An Encoder makes rows of pictures by encoding them.
type Encoder struct {
	Source
	codec    *codec.Codec
	encoding *options.Encoding
	model    codec.ModelID

	// Bytes of pictures that were read, and of their pixels, memory of each. Who
	// has the second does not wait for the first.
	files, pixels *semaphore.Weighted
	memory        int64
}

// NewEncoder returns an Encoder of the pictures of a bucket.
func NewEncoder(source *bucket.Bucket, c *codec.Codec, e *options.Encoding) (*Encoder, error) {
	id, err := c.ModelID()
	if err != nil {
		return nil, err
	}
	memory := process.Share(2*maxMemory) / 2
	return &Encoder{Source{source}, c, e, id, semaphore.NewWeighted(memory), semaphore.NewWeighted(memory), memory}, nil
}

// Make implements [Maker].
func (e *Encoder) Make(ctx context.Context, o bucket.Object) (*archive.Row, error) {
	if err := process.Fits(min(o.Size, maxPicture)); err != nil {
		return nil, PictureError(fmt.Sprintf("a picture that %v", err))
	}
	weight := max(1, min(o.Size, maxPicture, e.memory))
	if err := e.files.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	defer e.files.Release(weight)
	data, err := e.read(ctx, o, maxPicture)
	if err != nil {
		return nil, err
	}
	row := &archive.Row{Name: o.Name, Size: o.Size, Time: o.Time}
	in := bytes.NewReader(data)
	if !e.encoding.Fresh {
		if row.Data, err = e.kept(in); err != nil || row.Data != nil {
			return row, err
		}
		in.Reset(data)
	}
	p, err := picture.Open(in)
	if err != nil {
		return nil, PictureError(err.Error())
	}
	if err := process.Fits(o.Size + p.EncodeMemory()); err != nil { // the file stays in memory
		return nil, PictureError(fmt.Sprintf("a picture of %d x %d pixels that %v", p.Width, p.Height, err))
	}
	memory := min(p.EncodeMemory(), e.memory) // what takes more is alone
	if err := e.pixels.Acquire(ctx, memory); err != nil {
		return nil, err
	}
	defer e.pixels.Release(memory)
	img, err := p.Image()
	if err != nil {
		return nil, PictureError(err.Error())
	}
	row.Width, row.Height = img.Bounds().Dx(), img.Bounds().Dy()
	o2 := e.encoding.Options
	row.Data, err = e.codec.Encode(ctx, picture.Over(img, e.encoding.Background), &o2)
	if errors.As(err, new(codec.UnsupportedError)) || errors.As(err, new(codec.OptionError)) {
		err = PictureError(err.Error()) // an option that was right for plan's own picture
	}
	if err != nil {
		return nil, err // even if there is data: of some of the candidates
	}
	return row, nil
}

// kept returns the file that a PNG holds which coclico decode --keep-stream has
// written, or nil.
func (e *Encoder) kept(in *bytes.Reader) ([]byte, error) {
	stream, err := picture.Stream(in)
	if err != nil || stream == nil {
		if err != nil {
			err = PictureError(err.Error())
		}
		return nil, err
	}
	f, err := codec.Parse(stream)
	switch {
	case err != nil:
		return nil, PictureError("the stream that it holds is not a file: " + err.Error())
	case f.ModelID() != e.model:
		return nil, PictureError(fmt.Sprintf("its stream is of model %v, the archive of %v", f.ModelID(), e.model))
	}
	return stream, nil
}
